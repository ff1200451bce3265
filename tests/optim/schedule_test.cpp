#include "optim/schedule.h"

#include <algorithm>
#include <cmath>

#include "support/committed_golden.h"
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

/// The enumerator of that name.
template <class Enum, class Names>
Enum named(const Names& names, const Json& name) {
  const auto found = std::find(names.begin(), names.end(), name.as_string());
  REQUIRE(found != names.end());
  return static_cast<Enum>(found - names.begin());
}

/// From the keys of the file.
Schedule schedule_of(const Json& config) {
  Schedule schedule{.decay = named<Decay>(decay_names, config.at("schedule"))};
  for (const auto& [key, value] : config.as_object()) {
    if (key == "warmup_steps") schedule.warmup_steps = value.as_integer();
    if (key == "floor") schedule.floor = value.as_number();
    if (key == "cycles") schedule.cycles = value.as_integer();
    if (key == "power") schedule.power = value.as_number();
    if (key == "fall_share") schedule.fall_share = value.as_number();
    if (key == "fall_shape") schedule.fall_shape = named<FallShape>(fall_shape_names, value);
  }
  return schedule;
}

}  // namespace

TEST_CASE("optim: learning rates of transformers' schedules, past the end too") {
  const Json golden = committed_golden("optimizers.json");
  for (const Json& item : golden.at("schedules").as_array()) {
    CAPTURE(item.at("config").dump());
    const Schedule schedule = schedule_of(item.at("config"));
    const auto& rates = item.at("rates").as_array();
    REQUIRE(rates.size() > 10);
    for (std::size_t step = 0; step < rates.size(); ++step) {
      CAPTURE(step);
      const double factor = schedule.factor(static_cast<std::int64_t>(step), item.at("total").as_integer());
      CHECK(std::abs(factor - rates[step].as_number()) < 1e-12);
    }
  }
}

TEST_CASE("optim: learning rates of the golden schedules") {
  HONE_NEEDS_TEST_DATA(folder);
  check_rates(golden_case(folder, "schedules_optim.json", "hf_constant"), "lr", {}, 10);
  check_rates(golden_case(folder, "schedules_optim.json", "hf_constant_warmup"), "lr", {}, 10);
  check_rates(golden_case(folder, "schedules_optim.json", "hf_linear"), "lr", {.decay = Decay::linear}, 10);
  check_rates(golden_case(folder, "schedules_optim.json", "hf_cosine"), "lr", {.decay = Decay::cosine}, 10);

  check_rates(golden_case(folder, "schedules_optim.json", "hf_cosine_restarts"), "lr",
              {.decay = Decay::cosine_restarts, .cycles = 2}, 10);
  check_rates(golden_case(folder, "schedules_optim.json", "hf_polynomial"), "lr",
              {.decay = Decay::polynomial, .floor = 1e-8, .power = 2}, 10);
  check_rates(golden_case(folder, "schedules_optim.json", "optax_poly2"), "init",
              {.decay = Decay::polynomial, .floor = 0.4, .power = 2}, 10);

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

TEST_CASE("optim: wsd stands still between warm-up and fall, and both may fill the stage") {
  const Schedule schedule{.decay = Decay::wsd, .warmup_share = 0.1, .floor = 0.5, .fall_share = 0.2};
  CHECK(schedule.factor(5, 100) == 0.5);
  for (const std::int64_t step : {10, 40, 80}) CHECK(schedule.factor(step, 100) == 1.0);
  CHECK(schedule.factor(90, 100) == doctest::Approx(0.75));
  CHECK(schedule.factor(100, 100) == 0.5);
  const Schedule whole{.decay = Decay::wsd, .warmup_share = 0.5, .fall_share = 1, .fall_shape = FallShape::linear};
  CHECK(whole.factor(5, 10) == 1.0);
  CHECK(whole.factor(10, 10) == 0.0);
  CHECK(Schedule{.decay = Decay::wsd, .fall_share = 0}.factor(10, 10) == 1.0);
}
