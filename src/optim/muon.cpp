#include <algorithm>
#include <cmath>
#include <span>

#include "base/error.h"
#include "base/threads.h"
#include "optim/adamw.h"
#include "optim/newton_schulz.h"

namespace hone {

namespace {

double scale_of(MuonScale scale, const ParameterBlock& block) {
  const auto rows = static_cast<double>(block.rows), columns = static_cast<double>(block.columns);
  return scale == MuonScale::original ? std::sqrt(std::max(1.0, rows / columns)) : 0.2 * std::sqrt(std::max(rows, columns));
}

/// Muon (Jordan et al. 2024) for the matrices of layers, AdamW for the rest. m ← m + (1 - μ)(g - m);
/// w ← (1 - ηλ)·w - η·s·orthogonal((1 - μ)g + μm), without Nesterov orthogonal(m); s: MuonScale.
class MuonRule : public UpdateRule {
 public:
  MuonRule(const RuleInputs& inputs, std::vector<ParameterBlock> hidden, std::span<const ParameterBlock> rest)
      : store_(inputs.store),
        config_(inputs.config),
        blocks_(std::move(hidden)),
        rest_(inputs.store, inputs.config, rest, "muon.adamw") {
    std::int64_t values = 0;
    for (const ParameterBlock& block : blocks_) {
      momentum_begin_.push_back(values);
      values += block.values();
    }
    momentum_ = at::zeros({values}, at::kFloat);
  }

  RangeUpdate apply(const Update& update) override {
    // Each matrix is the work of one thread, so that the bits do not depend on how many there are.
    parallel_for(static_cast<std::int64_t>(blocks_.size()), 1, [&](std::int64_t begin, std::int64_t end) {
      const at::NoGradGuard no_grad;
      for (std::int64_t i = begin; i < end; ++i) update_matrix(static_cast<std::size_t>(i), update);
    });
    return rest_.apply(update);
  }

  std::vector<std::pair<std::string, at::Tensor>> state() const override {
    auto all = rest_.state();
    all.emplace_back("muon.momentum", momentum_);
    return all;
  }

 private:
  void update_matrix(std::size_t index, const Update& update) {
    const ParameterBlock& block = blocks_[index];
    const MuonConfig& muon = config_.muon;
    const at::Tensor momentum =
        momentum_.narrow(0, momentum_begin_[index], block.values()).view({block.rows, block.columns});
    at::Tensor direction = block.view(store_.grads()) * update.grad_scale;
    momentum.lerp_(direction, 1.0 - muon.momentum);
    if (muon.nesterov) {
      direction.lerp_(momentum, muon.momentum);
    } else {
      direction.copy_(momentum);
    }
    const bool short_words = store_.compute() == kernels::Compute::bfloat16;
    direction = orthogonalized(direction, muon.iterations, short_words ? at::kBFloat16 : at::kFloat);
    const double rate = rate_of(block, muon.learning_rate.value_or(config_.learning_rate), update);
    const at::Tensor weight = block.view(store_.weights());
    if (block.decay) weight.mul_(1.0 - rate * config_.weight_decay);
    weight.add_(direction, -rate * scale_of(muon.scale, block));
  }

  ParameterStore& store_;
  const OptimizerConfig& config_;
  std::vector<ParameterBlock> blocks_;
  AdamWRule rest_;
  std::vector<std::int64_t> momentum_begin_;
  at::Tensor momentum_;
};

}  // namespace

std::unique_ptr<UpdateRule> make_muon(const RuleInputs& inputs) {
  std::vector<ParameterBlock> hidden, rest;
  for (const ParameterBlock& block : inputs.blocks) (block.hidden ? hidden : rest).push_back(block);
  if (hidden.empty()) {
    fail(ErrorKind::config, "optimizer.rule: muon orthogonalises the matrices of the model's layers and none of them is "
                            "trained here (adapters are not such matrices); use adamw");
  }
  return std::make_unique<MuonRule>(inputs, std::move(hidden), rest);
}

}  // namespace hone
