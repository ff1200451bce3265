#pragma once

namespace hone {

/// The weight of the entropy bonus. Fixed, or adaptive (He et al. 2025, "Skywork Open Reasoner 1", section 4.2): after
/// each iteration it moves by `step`, up where the entropy is at most the target and down where it is above (never below
/// 0), and the bonus is given only while the entropy last seen is at most the target.
class EntropyController {
 public:
  static EntropyController fixed(double coefficient) { return {coefficient, 0, 0}; }
  /// target in nats a token; both positive.
  static EntropyController adaptive(double coefficient, double target, double step) {
    return {coefficient, target, step};
  }

  /// What the bonus weighs now.
  double weight() const { return step_ == 0 || seen_ <= target_ ? coefficient_ : 0.0; }
  /// The mean entropy of an iteration's tokens. One that is not finite changes nothing.
  void update(double entropy);

  /// For a checkpoint.
  double coefficient() const { return coefficient_; }
  double seen() const { return seen_; }
  void restore(double coefficient, double seen) { coefficient_ = coefficient, seen_ = seen; }

 private:
  EntropyController(double coefficient, double target, double step)
      : coefficient_(coefficient), target_(target), step_(step) {}
  double coefficient_, target_, step_;  ///< step 0: fixed
  double seen_ = 0;                     ///< the last entropy
};

}  // namespace hone
