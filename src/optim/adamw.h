#pragma once

#include "optim/update_rule.h"

namespace hone {

/// AdamW (Loshchilov and Hutter 2019): value by value.
class AdamWRule : public UpdateRule {
 public:
  /// Over these blocks, in the arena's order; Muon leaves it the rest of its own. `name` begins the moments' names.
  AdamWRule(ParameterStore& store, const OptimizerConfig& config, std::span<const ParameterBlock> blocks,
            std::string name);
  RangeUpdate apply(const Update& update) override;
  std::vector<std::pair<std::string, at::Tensor>> state() const override;

 private:
  ParameterStore& store_;
  const OptimizerConfig& config_;
  std::vector<Stretch> stretches_;
  std::string name_;
  at::Tensor first_moment_, second_moment_;
};

}  // namespace hone
