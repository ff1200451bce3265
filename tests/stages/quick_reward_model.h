#pragma once

#include <string>
#include <utility>

#include "stages/reward_model.h"
#include "stages/tiny_run.h"

namespace hone::test {

/// A reward model of the data set `rows` that learns in a second.
inline RewardModelSpec quick_reward_model(const std::string& name = "reward", std::int64_t steps = 40) {
  RewardModelSpec spec;
  spec.kind = spec.name = name;
  spec.data = "rows";
  spec.training.steps = steps;
  spec.training.batch_size = 16;
  spec.training.optimizer.learning_rate = 1e-2;
  return spec;
}

/// The first step of such a stage on `lines` has the same loss and gradient norm in one pass as with passes of single rows.
inline void check_first_step_is_the_same_in_parts(const std::string& lines, RewardModelSpec (*make)()) {
  const auto first_step = [&](std::int64_t tokens_per_pass) {
    TinyRun tiny;
    tiny.add_data("rows", "rows.jsonl", lines);
    RewardModelSpec spec = make();
    spec.training.steps = 1;
    spec.training.tokens_per_pass = tokens_per_pass;
    spec.run(tiny.run);
    return std::pair(tiny.series("loss").at(0), tiny.series("grad_norm").at(0));
  };
  const auto [loss, norm] = first_step(8192);
  const auto [cut_loss, cut_norm] = first_step(1);
  CHECK(cut_loss == doctest::Approx(loss).epsilon(1e-6));
  CHECK(cut_norm == doctest::Approx(norm).epsilon(1e-6));
}

}  // namespace hone::test
