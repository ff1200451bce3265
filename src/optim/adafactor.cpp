#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "optim/update_rule.h"

namespace hone {

namespace {

constexpr double gradient_epsilon = 1e-30;  // ε₁ and ε₂ of the paper
constexpr double least_scale = 1e-3;

double root_mean_square(const at::Tensor& values) {
  return values.norm().item<double>() / std::sqrt(static_cast<double>(values.numel()));
}

/// Adafactor (Shazeer and Stern 2018), as transformers has it. V of a matrix is kept as the means R of its rows and C of
/// its columns, that of a vector whole:
///     R ← β₂R + (1 - β₂)·rows(g² + ε₁), C likewise, β₂ = 1 - t^-c;  u = g/√(R Cᵀ/mean(R));  u ← u/max(1, rms(u)/d)
///     w ← w - ηλw - ηu, with beta1 the mean of ηu instead;  η: the rate, times max(ε₂, rms(w)) with scale_parameter
class AdafactorRule : public UpdateRule {
 public:
  explicit AdafactorRule(const RuleInputs& inputs)
      : store_(inputs.store), config_(inputs.config), blocks_(inputs.blocks) {
    std::int64_t rows = 0, columns = 0, values = 0;
    for (const ParameterBlock& block : blocks_) {
      places_.push_back({rows, columns, values});
      // A vector has as many rows as values.
      rows += block.rows * (block.matrix ? 1 : block.columns);
      columns += block.matrix ? block.columns : 0;
      values += block.values();
    }
    row_ = at::zeros({rows}, at::kFloat);
    column_ = at::zeros({columns}, at::kFloat);
    if (config_.adafactor.beta1 > 0) mean_ = at::zeros({values}, at::kFloat);
  }

  RangeUpdate apply(const Update& update) override {
    // Each tensor is the work of one thread, so that the bits do not depend on how many there are.
    parallel_for(static_cast<std::int64_t>(blocks_.size()), 1, [&](std::int64_t begin, std::int64_t end) {
      const at::NoGradGuard no_grad;
      for (std::int64_t i = begin; i < end; ++i) update_block(static_cast<std::size_t>(i), update);
    });
    return nullptr;
  }

  std::vector<std::pair<std::string, at::Tensor>> state() const override {
    std::vector<std::pair<std::string, at::Tensor>> all = {{"adafactor.row", row_}, {"adafactor.column", column_}};
    if (mean_.defined()) all.emplace_back("adafactor.mean", mean_);
    return all;
  }

 private:
  struct Place {
    std::int64_t row = 0, column = 0, value = 0;  ///< in the three arenas
  };

  /// g/√V, V brought up to date.
  at::Tensor direction(std::size_t index, const at::Tensor& grad, const Update& update) {
    const ParameterBlock& block = blocks_[index];
    const double share = std::pow(static_cast<double>(update.step), -config_.adafactor.decay_exponent);  // 1 - β₂
    const at::Tensor square = grad.square().add_(gradient_epsilon);
    if (!block.matrix) {
      const at::Tensor second = row_.narrow(0, places_[index].row, block.values());
      second.mul_(1.0 - share).add_(square, share);
      return second.rsqrt().mul_(grad);
    }
    const at::Tensor row = row_.narrow(0, places_[index].row, block.rows);
    const at::Tensor column = column_.narrow(0, places_[index].column, block.columns);
    row.mul_(1.0 - share).add_(square.mean(1), share);
    column.mul_(1.0 - share).add_(square.mean(0), share);
    return at::mul(row.div(row.mean()).rsqrt_().unsqueeze(1), column.rsqrt().unsqueeze(0)).mul_(grad);
  }

  void update_block(std::size_t index, const Update& update) {
    const ParameterBlock& block = blocks_[index];
    const AdafactorConfig& adafactor = config_.adafactor;
    const at::Tensor weight = block.view(store_.weights());
    double rate = adafactor.relative_step ? adafactor.relative_rate(update.step) * block.scale
                                          : rate_of(block, config_.learning_rate, update);
    if (adafactor.scale_parameter) rate *= std::max(least_scale, root_mean_square(weight));
    at::Tensor step = direction(index, block.view(store_.grads()) * update.grad_scale, update);
    step.mul_(rate / std::max(1.0, root_mean_square(step) / adafactor.clip_threshold));
    if (mean_.defined()) {
      const at::Tensor mean = mean_.narrow(0, places_[index].value, block.values()).view_as(step);
      step = mean.mul_(adafactor.beta1).add_(step, 1.0 - adafactor.beta1);
    }
    if (block.decay) weight.mul_(1.0 - rate * config_.weight_decay);
    weight.sub_(step);
  }

  ParameterStore& store_;
  const OptimizerConfig& config_;
  std::vector<ParameterBlock> blocks_;
  std::vector<Place> places_;  ///< of each block's moments
  at::Tensor row_, column_, mean_;
};

}  // namespace

std::unique_ptr<UpdateRule> make_adafactor(const RuleInputs& inputs) { return std::make_unique<AdafactorRule>(inputs); }

}  // namespace hone
