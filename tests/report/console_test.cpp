#include "report/console.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "base/log.h"
#include "report/run_report.h"
#include "tests/support/episodes.h"

namespace hone {

namespace {

/// A terminal, or a file, that remembers what was written, with a clock that the test moves.
struct Screen {
  std::string bytes;
  double seconds = 0;
  ConsoleOptions options(bool terminal) {
    return {.write = [this](std::string_view written) { bytes += written; },
            .now = [this] { return seconds; },
            .terminal = terminal,
            .width = 60,
            .least_interval = terminal ? 0.1 : 5.0};
  }
  std::string take() { return std::exchange(bytes, {}); }
};

class Remember : public ReportSink {
 public:
  explicit Remember(std::vector<MetricRow>* rows) : rows_(rows) {}
  void write(const MetricRow& row) override { rows_->push_back(row); }

 private:
  std::vector<MetricRow>* rows_;
};

}  // namespace

TEST_CASE("report: on a terminal the live line is rewritten in place and text goes above it") {
  Screen screen;
  Console console(screen.options(true));
  console.live("one");
  CHECK(screen.take() == "\r\x1b[Kone");
  console.live("too soon");
  CHECK(screen.take().empty());
  CHECK_FALSE(console.due());
  screen.seconds = 0.2;
  CHECK(console.due());
  console.live("two");
  CHECK(screen.take() == "\r\x1b[Ktwo");
  console.print("note");
  CHECK(screen.take() == "\r\x1b[Knote\ntwo");
  console.finish();
  CHECK(screen.take() == "\n");
  console.finish();
  CHECK(screen.take().empty());
  console.print("after\n");
  CHECK(screen.take() == "after\n");
}

TEST_CASE("report: elsewhere the live line is a line now and then, without control sequences") {
  Screen screen;
  {
    Console console(screen.options(false));
    for (int i = 0; i < 100; ++i) {
      screen.seconds = 0.1 * i;
      console.live("line");
    }
    console.live("last", true);
    console.print("note");
  }
  CHECK(screen.bytes == "line\nline\nlast\nnote\n");
}

TEST_CASE("report: colour needs a terminal, and NO_COLOR forbids it") {
  ::setenv("NO_COLOR", "1", 1);
  CHECK_FALSE(ConsoleOptions::standard_error().colour);
  ::unsetenv("NO_COLOR");
  const ConsoleOptions options = ConsoleOptions::standard_error();
  CHECK((options.terminal || !options.colour));
  CHECK(options.least_interval == (options.terminal ? 0.1 : 5.0));
}

TEST_CASE("report: a run tells its stages, steps, evaluations and samples, and ends with a table") {
  Screen screen;
  std::vector<MetricRow> rows;
  Console console(screen.options(false));
  std::vector<std::unique_ptr<ReportSink>> sinks;
  sinks.push_back(std::make_unique<Remember>(&rows));
  RunReport report(console, std::move(sinks));

  report.stage_started("ppo", 3);
  CHECK(screen.take() == "ppo  0/3\n");
  screen.seconds = 6;
  report.step(1, {{"reward", 0.5}});
  CHECK(screen.take() == "ppo  1/3  0.17 steps/s  12.0 s left  reward 0.5\n");
  log_warn("slow");
  CHECK(screen.take() == "warning: slow\n");
  report.step(2, {{"reward", 0.75}});
  CHECK(screen.take().empty());  // within five seconds of the last line
  report.evaluated(2, {{"eval/accuracy", 0.7}});
  CHECK(screen.take() == "ppo  step 2  eval/accuracy 0.7\n");
  const Episode episode = test::episode("95");
  report.samples("ppo: samples", std::span(&episode, 1));
  CHECK(screen.take().starts_with("\nppo: samples\n\n  prompt      prompt\n"));
  screen.seconds = 10;
  report.stage_finished({.held_out = {{"accuracy", 0.4, 0.7}}, .tokens = 1000});
  CHECK(screen.take() == "ppo  2/3  0.20 steps/s  in 10.0 s  reward 0.75\n");
  report.print_summary();
  CHECK(screen.take() ==
        "\nstage  held-out  before  after    time  tokens/s\n"
        "-----  --------  ------  -----  ------  --------\n"
        "ppo    accuracy     0.4    0.7  10.0 s       100\n");

  REQUIRE(rows.size() == 3);
  CHECK(rows[1].stage == "ppo");
  CHECK(rows[1].step == 2);
  CHECK(rows[1].seconds == 6);
  CHECK(rows[1].values == MetricValues{{"reward", 0.75}});
  CHECK(rows[2].values == MetricValues{{"eval/accuracy", 0.7}});
}

TEST_CASE("report: the next stage starts its own clock and, resumed, its own rate") {
  Screen screen;
  Console console(screen.options(false));
  RunReport report(console, {});
  report.stage_started("sft", 10);
  screen.seconds = 100;
  report.stage_finished({});
  screen.take();
  report.stage_started("ppo", 60, 50);
  screen.seconds = 110;
  report.step(55, {});
  CHECK(screen.bytes == "ppo  50/60\nppo  55/60  0.50 steps/s  10.0 s left\n");
  report.stage_finished({});
  REQUIRE(report.summaries().size() == 2);
  CHECK(report.summaries()[0].seconds == 100);
  CHECK(report.summaries()[1].seconds == 10);
  CHECK(report.summaries()[1].stage == "ppo");
}

}  // namespace hone
