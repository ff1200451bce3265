#pragma once

#include <optional>
#include <string>

#include "algo/preference_loss.h"
#include "data/examples.h"
#include "stages/supervised.h"

namespace hone {

/// What dpo, orpo, simpo and cpo share: a language model learns from pairs which answer is better. Each kind is a loss
/// of algo/preference_loss.h with its defaults. See docs/stages/dpo.md.
class PreferenceSpec : public DataSpec {
 public:
  PreferenceOptions options;
  std::optional<std::string> reference;
  Overlong overlong = Overlong::truncate_right;

  PreferenceSpec();
  void describe_stage(Fields& f) final;
  StageStart prepare(Run& run) const final;

 protected:
  /// The fields of the loss.
  virtual void describe_loss(Fields& f) = 0;
};

/// Direct preference optimization (Rafailov et al. 2023) and the losses that compare with a reference like it.
class DpoSpec : public PreferenceSpec {
  void describe_loss(Fields& f) override;
};

/// Odds-ratio preference optimization (Hong et al. 2024).
class OrpoSpec : public PreferenceSpec {
 public:
  OrpoSpec();

 private:
  void describe_loss(Fields& f) override;
};

/// Simple preference optimization (Meng et al. 2024).
class SimpoSpec : public PreferenceSpec {
 public:
  SimpoSpec();

 private:
  void describe_loss(Fields& f) override;
};

/// Contrastive preference optimization (Xu et al. 2024).
class CpoSpec : public PreferenceSpec {
 public:
  CpoSpec();

 private:
  void describe_loss(Fields& f) override;
};

}  // namespace hone
