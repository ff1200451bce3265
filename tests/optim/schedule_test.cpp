#include "optim/schedule.h"

#include <cmath>

#include "support/doctest_torch.h"
#include "support/golden.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Compares the published rate of each step 0, 1, … with schedule × peak.
void check_rates(const Json& golden, const char* peak, Schedule schedule, std::int64_t total) {
  const auto& inputs = golden.at("inputs");
  if (const auto* warmup = inputs.find("warmup")) schedule.warmup_steps = warmup->as_integer();
  const auto& expected = golden.at("expected").as_array();
  REQUIRE(!expected.empty());
  for (std::size_t step = 0; step < expected.size(); ++step) {
    const double rate = inputs.at(peak).as_number() * schedule.factor(static_cast<std::int64_t>(step), total);
    CHECK(std::abs(rate - expected[step].as_number()) <= golden.at("tol").as_number());
  }
}

}  // namespace

TEST_CASE("optim: learning rates of the golden schedules") {
  HONE_NEEDS_TEST_DATA(folder);
  check_rates(golden_case(folder, "schedules_optim.json", "hf_constant"), "lr", {}, 10);
  check_rates(golden_case(folder, "schedules_optim.json", "hf_constant_warmup"), "lr", {}, 10);
  check_rates(golden_case(folder, "schedules_optim.json", "hf_linear"), "lr", {.decay = Decay::linear}, 10);
  check_rates(golden_case(folder, "schedules_optim.json", "hf_cosine"), "lr", {.decay = Decay::cosine}, 10);

  const auto floored = golden_case(folder, "schedules_optim.json", "optax_cosine");
  check_rates(floored, "init", {.decay = Decay::cosine, .floor = floored.at("inputs").at("alpha").as_number()},
              floored.at("inputs").at("steps").as_integer());

  const auto big = golden_case(folder, "schedules_optim.json", "optax_cosine_big");
  const auto& inputs = big.at("inputs");
  const double rate =
      inputs.at("init").as_number() *
      Schedule{.decay = Decay::cosine}.factor(inputs.at("at").as_integer(), inputs.at("decay_steps").as_integer());
  CHECK(rate == doctest::Approx(big.at("expected").as_number()).epsilon(1e-7));
}

TEST_CASE("optim: warm-up as a share, the floor, and steps past the end") {
  const Schedule linear = {.decay = Decay::linear, .warmup_share = 0.1, .floor = 0.2};
  CHECK(linear.factor(0, 100) == 0.0);
  CHECK(linear.factor(5, 100) == 0.5);
  CHECK(linear.factor(10, 100) == 1.0);
  CHECK(linear.factor(55, 100) == doctest::Approx(0.6));
  CHECK(linear.factor(100, 100) == doctest::Approx(0.2));
  CHECK(linear.factor(1000, 100) == doctest::Approx(0.2));
  CHECK(Schedule{}.factor(7, 0) == 1.0);
  CHECK(Schedule{.decay = Decay::cosine, .warmup_steps = 10}.factor(10, 10) == 1.0);
}
