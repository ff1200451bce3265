#include "report/tensorboard.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "base/log.h"
#include "report/metrics_jsonl.h"
#include "report/samples_jsonl.h"
#include "support/scratch.h"

namespace hone {

namespace {

std::string all_events(const std::filesystem::path& directory) {
  std::string bytes;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) bytes += test::contents_of(entry.path());
  return bytes;
}

std::size_t count(std::string_view text, std::string_view words) {
  std::size_t found = 0;
  for (auto at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++found;
  return found;
}

const char* const hostile =
    "\n</pre><script>alert('x')</script> **bold** `code` &lt; [a](javascript:b)\r# no\n\n    - \x1b[2J\x02 end\xFF";

SampleRow sample_of(std::int64_t step, const std::string& split) {
  return {.stage = "ppo",
          .step = step,
          .split = split,
          .prompt = "2+2=",
          .completion = hostile,
          .finish = "length",
          .status = "ok",
          .reward = 0.5,
          .parts = {{"exact_match", 1}, {"<length>", -0.5}}};
}

/// Bytes before the first row of a step.
std::int64_t before(const std::filesystem::path& file, std::int64_t step) {
  return static_cast<std::int64_t>(test::contents_of(file).find(fmt::format("{{\"stage\":\"ppo\",\"step\":{},", step)));
}

/// Steps first … last of a stage, values told apart by `offset`; all files go on where `first` says.
void write_steps(const std::filesystem::path& run, std::int64_t first, std::int64_t last, double offset) {
  const auto keep = [&](const char* name) { return first == 1 ? 0 : before(run / name, first); };
  TensorBoard events(run / "tensorboard");
  MetricsJsonl rows(run / "metrics.jsonl", keep("metrics.jsonl"));
  SamplesJsonl samples(run / "samples.jsonl", keep("samples.jsonl"));
  events.stage_started("ppo", first - 1);
  for (std::int64_t step = first; step <= last; ++step) {
    MetricRow row{.stage = "ppo", .step = step, .seconds = 1.5, .values = {}};
    row.values = {{"reward", offset + static_cast<double>(step)}, {"kl", 0.1 * static_cast<double>(step)}};
    if (step == 2) row.values.emplace_back("loss", std::numeric_limits<double>::quiet_NaN());
    const MetricRow evaluation{.stage = "ppo", .step = step, .seconds = 1.5, .values = {{"eval/reward", offset}}};
    const auto value = static_cast<float>(offset + static_cast<double>(step));
    const Distribution spread{.stage = "ppo", .step = step, .name = "reward", .values = {0, value, value, NAN}};
    for (ReportSink* sink :
         {static_cast<ReportSink*>(&events), static_cast<ReportSink*>(&rows), static_cast<ReportSink*>(&samples)}) {
      sink->write(row);
      sink->write(evaluation);
      sink->distribution(spread);
      sink->sample(sample_of(step, "train"));
      sink->sample(sample_of(step, "held_out"));
    }
  }
  CHECK_FALSE(events.position().has_value());
}

}  // namespace

// tests/peer/tensorboard_test reads with the real TensorBoard what this leaves in $HONE_EVENT_DIR.
TEST_CASE("report: events of a run that was stopped after step 10 and resumed from step 5") {
  const test::Scratch scratch;
  const char* asked = std::getenv("HONE_EVENT_DIR");
  const std::filesystem::path run = asked != nullptr ? std::filesystem::path(asked) : scratch.path();
  write_steps(run, 1, 10, 0);
  write_steps(run, 6, 8, 100);
  const std::string bytes = all_events(run / "tensorboard" / "ppo");
  CHECK(count(bytes, "brain.Event:2") == 2);
  CHECK(count(bytes, "eval/reward") == 13);
  CHECK(count(bytes, "distribution/reward") == 13);
  CHECK(count(bytes, "samples/train/1") == 13);
}

TEST_CASE("report: each stage is a TensorBoard run of its own") {
  const test::Scratch scratch;
  TensorBoard events(scratch.path());
  CHECK(std::filesystem::is_empty(scratch.path()));
  for (const std::string stage : {"sft", "ppo"}) {
    events.stage_started(stage, 0);
    events.write({.stage = stage, .step = 1, .seconds = 0, .values = {{stage + "_loss", 1}}});
  }
  CHECK(count(all_events(scratch.path() / "sft"), "sft_loss") == 1);
  CHECK(count(all_events(scratch.path() / "ppo"), "ppo_loss") == 1);
  CHECK(count(all_events(scratch.path() / "ppo"), "sft_loss") == 0);
}

TEST_CASE("report: the first samples of a step and split become texts, empty rows and histograms nothing") {
  const test::Scratch scratch;
  TensorBoard events(scratch.path());
  events.stage_started("ppo", 0);
  const std::size_t before = all_events(scratch.path() / "ppo").size();
  events.write({.stage = "ppo", .step = 1, .seconds = 0, .values = {}});
  events.distribution({.stage = "ppo", .step = 1, .name = "none", .values = {}});
  CHECK(all_events(scratch.path() / "ppo").size() == before);
  for (const std::int64_t step : {1, 2}) {
    for (int i = 0; i < 20; ++i) events.sample(sample_of(step, "train"));
    events.sample(sample_of(step, "held_out"));
  }
  const std::string bytes = all_events(scratch.path() / "ppo");
  CHECK(count(bytes, "samples/train/1") == 2);
  CHECK(count(bytes, "samples/train/8") == 2);
  CHECK(count(bytes, "samples/train/") == 16);
  CHECK(count(bytes, "samples/held_out/") == 2);
}

TEST_CASE("report: the text of a sample shows what was written and nothing else") {
  SampleRow row = sample_of(1, "train");
  row.prompt = "a<b";
  row.completion = "</pre>&\x1b";
  CHECK(sample_markdown(row) ==
        "**prompt**\n\n<pre>a&lt;b</pre>\n\n**completion** (cut off)\n\n<pre>&lt;/pre&gt;&amp;\\x1b</pre>\n\n"
        "**reward**\n\n<pre>0.5\nexact_match 1\n&lt;length&gt; -0.5</pre>\n\n");
  row.status = "error";
  row.note = "no <answer>";
  CHECK(sample_markdown(row).find("<pre>error: no &lt;answer&gt;\nexact_match 1") != std::string::npos);
  row.completion = std::string(30000, 'x');
  CHECK(sample_markdown(row).size() < 21000);
}

TEST_CASE("report: events that cannot be written do not stop a run") {
  const test::Scratch scratch;
  std::string log;
  set_log_printer([&](std::string_view line) { log += std::string(line) + "\n"; });
  TensorBoard events(scratch.file("tensorboard", "a file in the way"));
  events.stage_started("sft", 0);
  events.write({.stage = "sft", .step = 1, .seconds = 0, .values = {{"loss", 1}}});
  CHECK_FALSE(events.position().has_value());
  set_log_printer({});
  CHECK(count(log, "the run goes on without TensorBoard's events") == 1);
}

}  // namespace hone
