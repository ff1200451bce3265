#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "optim/schedule.h"

namespace hone {

enum class RuleKind { adamw, adafactor, lion, muon, sgd };
inline constexpr std::array<std::string_view, 5> rule_names = {"adamw", "adafactor", "lion", "muon", "sgd"};

struct AdafactorConfig {
  bool relative_step = false;
  bool warmup_init = false;
  bool scale_parameter = false;
  double decay_exponent = 0.8;
  double clip_threshold = 1.0;
  double beta1 = 0;  ///< 0: no mean of updates is kept
  void describe(Fields& f);
  /// min(10⁻² | 10⁻⁶ t, 1/√t) of update t: what relative_step puts in place of the learning rate.
  double relative_rate(std::int64_t step) const;
};

struct LionConfig {
  double beta1 = 0.9;
  double beta2 = 0.99;
  void describe(Fields& f);
};

/// What an orthogonal update of an m × n matrix is multiplied by.
enum class MuonScale {
  match_adamw,  ///< 0.2·√max(m, n): as large as AdamW's (Liu et al. 2025)
  original      ///< √max(1, m/n) (Jordan 2024)
};
inline constexpr std::array<std::string_view, 2> muon_scale_names = {"match_adamw", "original"};

struct MuonConfig {
  std::optional<double> learning_rate;
  double momentum = 0.95;
  bool nesterov = true;
  std::int64_t iterations = 5;
  MuonScale scale = MuonScale::match_adamw;
  void describe(Fields& f);
};

struct SgdConfig {
  double momentum = 0;
  bool nesterov = false;
  void describe(Fields& f);
};

struct OptimizerConfig {
  RuleKind rule = RuleKind::adamw;
  double learning_rate = 3e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  double max_grad_norm = 1.0;
  Schedule schedule;
  std::vector<std::string> no_decay;
  std::vector<std::pair<std::string, double>> rates;
  double layer_decay = 1;
  AdafactorConfig adafactor;
  LionConfig lion;
  MuonConfig muon;
  SgdConfig sgd;
  /// Whether a pattern that names nothing is an error. Not a key of the file: a critic beside the policy lacks tensors.
  bool names_must_exist = true;

  void describe(Fields& f);
};

}  // namespace hone
