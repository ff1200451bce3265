#include "report/progress.h"

#include <doctest/doctest.h>

#include <string>

#include "base/utf8.h"

namespace hone {

namespace {

Progress some_progress() {
  return {.stage = "ppo",
          .step = 15,
          .total = 60,
          .seconds = 30,
          .metrics = {{"kl", 0.0021}, {"reward_std", 0.3}, {"reward", 0.91406}}};
}

}  // namespace

TEST_CASE("report: a progress line shows the bar, the rate, the time left and the main metrics") {
  CHECK(progress_line(some_progress(), 8, 200) ==
        "ppo  ██░░░░░░  15/60  0.50 steps/s  1 min 30 s left  reward 0.9141  kl 0.0021");
  CHECK(progress_line(some_progress(), 0, 200) ==
        "ppo  15/60  0.50 steps/s  1 min 30 s left  reward 0.9141  kl 0.0021");
}

TEST_CASE("report: before the first step and without a known end a progress line says what it knows") {
  CHECK(progress_line({.stage = "sft", .total = 10}, 4, 80) == "sft  ░░░░  0/10");
  CHECK(progress_line({.stage = "sft", .step = 4, .seconds = 2}, 4, 80) == "sft  step 4  2.00 steps/s");
  CHECK(seconds_left({.step = 4, .seconds = 2}) < 0);
  CHECK(progress_line({.stage = "sft", .step = 12, .total = 10, .seconds = 1}, 4, 80) ==
        "sft  ████  12/10  12.0 steps/s  0 ms left");
}

TEST_CASE("report: a resumed stage takes its rate from its own steps") {
  const Progress progress{.first_step = 50, .step = 55, .total = 65, .seconds = 10};
  CHECK(seconds_left(progress) == doctest::Approx(20));
  CHECK(seconds_left({.first_step = 50, .step = 50, .total = 65, .seconds = 10}) < 0);
}

TEST_CASE("report: the main metrics are the first six by importance") {
  CHECK(main_metrics({}).empty());
  CHECK(main_metrics({{"unheard_of", 1}}).empty());
  CHECK(main_metrics({{"tokens_per_second", 12345},
                      {"grad_norm", 1},
                      {"loss", 2},
                      {"entropy", 3},
                      {"kl", 4},
                      {"accuracy", 0.5},
                      {"reward", -1.5}}) == "reward -1.5  accuracy 0.5  loss 2  kl 4  entropy 3  grad_norm 1");
}

TEST_CASE("report: a line is cut at whole characters") {
  CHECK(cut("äöü", 3) == "äöü");
  CHECK(cut("äöüß", 3) == "äö…");
  CHECK(cut("abc", 1) == "…");
  CHECK(cut("abc", 0).empty());
  CHECK(cut("", 0).empty());
  for (std::size_t width = 1; width < 60; ++width) {
    const std::string line = progress_line(some_progress(), 8, width);
    CHECK(utf8_length(line) == width);
    CHECK(first_invalid_utf8(line) == std::string::npos);
  }
}

TEST_CASE("report: metrics are shown with four digits") {
  CHECK(format_metric(0.914062) == "0.9141");
  CHECK(format_metric(3e-5) == "3e-05");
  CHECK(format_metric(1) == "1");
  CHECK(format_metric(-12.345) == "-12.35");
}

}  // namespace hone
