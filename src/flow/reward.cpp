#include "flow/reward.h"

#include <algorithm>
#include <array>

namespace hone {

namespace {

constexpr std::array<std::string_view, 3> normalize_names{"off", "batch", "running"};

}  // namespace

void RewardTerm::describe(Fields& f) {
  f.field("weight", weight, "Factor of this reward in the sum.");
  f.field("weight_end", weight_end, "The weight moves there in a straight line, over `weight_iterations`.");
  f.field("weight_iterations", weight_iterations, "Iterations until `weight_end` is reached.", at_least(0));
  f.check(weight_end.has_value() == (weight_iterations > 0), "weight_end", "needs weight_iterations, and the other way round");
  f.field("clip", clip, "[low, high]: bounds of the value before it is weighted; its metrics keep the value itself.");
  f.check(clip.empty() || (clip.size() == 2 && clip[0] <= clip[1]), "clip", "expected [low, high] with low ≤ high");
  f.choice("normalize", normalize, normalize_names,
           "Subtracts the mean and divides by the standard deviation: of the iteration (batch) or of all so far (running). "
           "Evaluation does not normalise.");
  f.field("only_if", only_if, "The name of another reward: this one counts only where that one's value is above `only_if_above`.");
  f.field("only_if_above", only_if_above, "See only_if.");
}

double RewardTerm::weight_at(std::int64_t iteration) const {
  if (!weight_end) return weight;
  const double share = std::min(1.0, static_cast<double>(iteration) / static_cast<double>(weight_iterations));
  return weight + share * (*weight_end - weight);
}

}  // namespace hone
