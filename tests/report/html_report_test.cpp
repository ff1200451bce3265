#include "report/html_report.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

#include "report/metrics_jsonl.h"
#include "report/samples_jsonl.h"
#include "tests/support/error_of.h"
#include "tests/support/scratch.h"

namespace hone {

namespace {

constexpr const char* hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x01\xff\u202E";

SampleRow sample(std::int64_t step, const std::string& split, const std::string& completion, double reward) {
  return {.stage = "ppo",
          .step = step,
          .split = split,
          .prompt = "37+58=",
          .completion = completion,
          .finish = "stop",
          .status = "ok",
          .note = "",
          .reward = reward,
          .parts = {{"exact_match", reward}},
          .tokens = {completion, "<eos>"},
          .logprobs = {-2.0F, -0.125F},
          .advantages = split == "train" ? std::vector<float>{-0.75F, 0.5F} : std::vector<float>{}};
}

std::string page_of(const test::Scratch& run) { return test::contents_of(write_report(run.path())); }

bool has(const std::string& page, std::string_view part) { return page.find(part) != page.npos; }

}  // namespace

TEST_CASE("report: the page shows stages, curves, samples, configuration and machine") {
  const test::Scratch run;
  run.file("config.yaml", "stages:\n  - kind: ppo\n    name: ppo\n    clip_low: 0.2 # <&>\n");
  run.file("environment.json",
           "{\"cpu\": {\"name\": \"Xeon <1>\", \"cores\": [1, 2]}, \"seed\": 7, \"rows\": [{\"a\": true}]}");
  {
    MetricsJsonl metrics(run.path() / "metrics.jsonl");
    metrics.write({.stage = "ppo", .step = 0, .seconds = 0, .values = {{"eval/reward", 0.125}}});
    metrics.write({.stage = "ppo", .step = 1, .seconds = 60, .values = {{"reward", 0.5}, {"mine", 3.0}}});
    metrics.write({.stage = "ppo", .step = 1, .seconds = 65, .values = {{"eval/reward", 0.875}}});
    SamplesJsonl samples(run.path() / "samples.jsonl");
    samples.sample(sample(0, "held_out", "before answer", 0));
    samples.sample(sample(1, "held_out", "after answer", 1));
    samples.sample(sample(1, "train", "worst answer", 0));
    samples.sample(sample(1, "train", "best answer", 1));
  }
  const std::string page = page_of(run);
  CHECK(has(page, "<td>reward (greedy)</td><td class=\"number\">0.125</td><td class=\"number\">0.875</td>"));
  CHECK(has(page, "1 min 05 s"));
  for (const char* text :
       {"before answer", "after answer", "worst answer", "best answer", "More metrics", "Token by token",
        "title=\"-0.75\"", "title=\"-0.125\"", "clip_low: 0.2 # &lt;&amp;&gt;", "Xeon &lt;1&gt;", "1, 2", "rows.0.a",
        "name=\"viewport\"", "prefers-color-scheme: dark", "0 of 1 stages finished"}) {
    CHECK_MESSAGE(has(page, text), text);
  }
  CHECK_FALSE(has(page, "class=\"notes\""));
}

TEST_CASE("report: hostile text stays text, and nothing is loaded from elsewhere") {
  const test::Scratch run;
  run.file("config.yaml", std::string("# ") + hostile + "\nstages:\n  - kind: ppo\n    name: ppo\n");
  run.file("environment.json", "{\"</script><script>alert(3)</script>\": \"</table><script>\"}");
  run.file("metrics.jsonl", "{\"stage\":\"</h2><script>\",\"step\":1,\"seconds\":1,\"</svg><script>\":1}\n");
  {
    SamplesJsonl samples(run.path() / "samples.jsonl");
    samples.sample(sample(0, "held_out", hostile, 0));
    samples.sample(sample(1, "train", hostile, 0));
    SampleRow failed = sample(1, "train", "x", 0);
    failed.status = "error";
    failed.note = hostile;
    samples.sample(failed);
  }
  const std::string page = page_of(run);
  std::size_t scripts = 0;
  for (std::size_t at = page.find("<script"); at != page.npos; at = page.find("<script", at + 1)) ++scripts;
  CHECK(scripts == 1);
  CHECK_FALSE(has(page, "<img"));
  CHECK_FALSE(has(page, "http:"));
  CHECK_FALSE(has(page, "https:"));
  CHECK_FALSE(has(page, "@import"));
  CHECK_FALSE(has(page, "url("));
  CHECK(has(page, "default-src 'none'"));
  CHECK(has(page, "\u2401\uFFFD[U+202E]"));
  CHECK(std::ranges::none_of(page,
                             [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t'; }));
}

TEST_CASE("report: a directory with odd files, or none, still gives a page") {
  const test::Scratch empty;
  const std::string page = page_of(empty);
  CHECK(has(page, "metrics.jsonl: there is no such file"));
  CHECK(has(page, "no stage yet"));
  const test::Scratch odd;
  odd.file("config.yaml", std::string("\xff\xfe\0stages:", 10));
  odd.file("environment.json", "[]");
  odd.file("metrics.jsonl",
           "{\"stage\":\"ppo\",\"step\":1e300,\"seconds\":-5,\"loss\":1e308}\n{\"stage\":\"ppo\",\"step\":-4,"
           "\"seconds\":1e300,\"loss\":-1e308}\n{\"stage\":\"\",\"step\":0.5,\"\":null}\nnull\n{");
  odd.file("samples.jsonl",
           "{\"stage\":\"ppo\",\"step\":1,\"split\":\"train\",\"tokens\":[1,null,\"a\"],\"logprobs\":[null],"
           "\"advantages\":[null,1,2],\"reward\":null,\"parts\":3}\n{\"stage\":\"ppo\",\"step\":1,\"split\":9}\n");
  const std::string odd_page = page_of(odd);
  CHECK(has(odd_page, "the last line is cut off"));
  CHECK(has(odd_page, "samples.jsonl: 1 line could not be used"));
  CHECK(has(odd_page, "</html>"));
}

TEST_CASE("report: a page that cannot be written is an error, or a warning for a run that goes on") {
  HONE_CHECK_ERROR(io, write_report("/nowhere/at/all"), "/nowhere/at/all");
  CHECK_NOTHROW(refresh_report("/nowhere/at/all"));
}

TEST_CASE("report: 100,000 rows give a small page") {
  const test::Scratch run;
  std::string rows;
  for (int step = 1; step <= 100'000; ++step) {
    fmt::format_to(std::back_inserter(rows), "{{\"stage\":\"ppo\",\"step\":{0},\"seconds\":{0}", step);
    for (int metric = 0; metric < 4; ++metric) {
      fmt::format_to(std::back_inserter(rows), ",\"metric_{}\":{}", metric, (step * (metric + 3) % 1009) * 0.001);
    }
    rows += "}\n";
  }
  run.file("metrics.jsonl", rows);
  const auto start = std::chrono::steady_clock::now();
  const std::string page = page_of(run);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  MESSAGE("page of ", page.size(), " bytes in ", seconds, " s");
  CHECK(page.size() < 1'000'000);
}

TEST_CASE("report: a file of very many metrics gives a bounded page") {
  const test::Scratch run;
  std::string rows;
  for (int stage = 0; stage < 6; ++stage) {
    for (int step = 1; step <= 60; ++step) {
      fmt::format_to(std::back_inserter(rows), "{{\"stage\":\"s{}\",\"step\":{},\"seconds\":1", stage, step);
      for (int metric = 0; metric < 100; ++metric)
        fmt::format_to(std::back_inserter(rows), ",\"m{}\":{}.25", metric, step);
      rows += "}\n";
    }
  }
  run.file("metrics.jsonl", rows);
  CHECK(page_of(run).size() < 3'000'000);
}

}  // namespace hone
