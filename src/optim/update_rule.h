#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nn/parameter_store.h"
#include "optim/optimizer_config.h"
#include "optim/parameter_block.h"

namespace hone {

/// What changes from update to update.
struct Update {
  std::int64_t step = 1;           ///< of this update, from 1
  double grad_scale = 1;           ///< multiplies the gradient (clipping, accumulation)
  double schedule = 1;             ///< factor of every peak rate
  double critic_learning_rate = 0;  ///< peak
};

/// How weights follow from gradients. An implementation keeps its moments in flat float32 tensors, and its results do
/// not depend on the number of threads.
class UpdateRule {
 public:
  virtual ~UpdateRule() = default;

  /// Changes the trained weights of the store it was made for from the gradients there; nothing else. What goes value by
  /// value is left to the caller: to be called for ranges that cover the arena of gradients once, by any threads. Null:
  /// nothing is left.
  virtual RangeUpdate apply(const Update& update) = 0;

  /// The live moments by name. Restoring writes into them.
  virtual std::vector<std::pair<std::string, at::Tensor>> state() const = 0;
};

/// What a rule is made from. The store and the configuration are borrowed and outlive the rule.
struct RuleInputs {
  ParameterStore& store;
  const OptimizerConfig& config;
  std::vector<ParameterBlock> blocks;
};

std::unique_ptr<UpdateRule> make_adamw(const RuleInputs& inputs);
std::unique_ptr<UpdateRule> make_adafactor(const RuleInputs& inputs);
std::unique_ptr<UpdateRule> make_lion(const RuleInputs& inputs);
/// Error{config} when nothing that is trained is a matrix of a layer.
std::unique_ptr<UpdateRule> make_muon(const RuleInputs& inputs);
std::unique_ptr<UpdateRule> make_sgd(const RuleInputs& inputs);

/// The rule that the configuration names.
std::unique_ptr<UpdateRule> make_update_rule(const RuleInputs& inputs);

/// Peak rate of a block or stretch (anything with `critic`, `scale`) in this update.
template <class Part>
double rate_of(const Part& part, double learning_rate, const Update& update) {
  return (part.critic ? update.critic_learning_rate : learning_rate) * update.schedule * part.scale;
}

}  // namespace hone
