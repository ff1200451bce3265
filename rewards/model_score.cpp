#include "rewards/model_score.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "rewards/text_scores.h"

namespace hone {

namespace {

class ModelScore : public Reward {
 public:
  ModelScore(const ModelScoreSpec& spec, std::unique_ptr<TextScorer> scorer)
      : scorer_(std::move(scorer)),
        judge_(fmt::format("the model {}", spec.model)),
        names_(scorer_->names()),
        weights_(weights_of(spec, names_)),
        sigmoid_(spec.sigmoid),
        from_(spec.from),
        to_(spec.to) {}

  std::vector<Score> score(std::span<const Episode> episodes) override {
    return text_scores(*scorer_, episodes, judge_, [this](std::span<const double> values) {
      double sum = names_.empty() ? values[0] : 0.0;
      Score score;
      for (std::size_t k = 0; k < names_.size(); ++k) {
        sum += weights_[k] * values[k];
        score.parts.emplace_back(names_[k], values[k]);
      }
      score.parts.emplace_back("raw", sum);
      score.value = shaped(sum);
      return score;
    });
  }

 private:
  /// By default the mean.
  static std::vector<double> weights_of(const ModelScoreSpec& spec, const std::vector<std::string>& names) {
    if (spec.weights.empty()) return std::vector<double>(names.size(), 1.0 / std::max<double>(1, static_cast<double>(names.size())));
    std::vector<double> weights(names.size(), 0);
    for (const auto& [name, weight] : spec.weights) {
      const auto found = std::ranges::find(names, name);
      if (found == names.end()) {
        fail(ErrorKind::config, "weights.{}: the model {} has no score of that name; it has {}", name, spec.model,
             names.empty() ? "one without a name" : fmt::format("{}", fmt::join(names, ", ")));
      }
      weights[static_cast<std::size_t>(found - names.begin())] = weight;
    }
    return weights;
  }

  double shaped(double value) const {
    if (sigmoid_) value = 1.0 / (1.0 + std::exp(-value));
    if (from_.empty()) return value;
    const double share = (std::clamp(value, from_[0], from_[1]) - from_[0]) / (from_[1] - from_[0]);
    return to_[0] + share * (to_[1] - to_[0]);
  }

  std::unique_ptr<TextScorer> scorer_;
  std::string judge_;
  std::vector<std::string> names_;
  std::vector<double> weights_;  ///< of names_
  bool sigmoid_;
  std::vector<double> from_;
  std::vector<double> to_;
};

}  // namespace

void ModelScoreSpec::describe_reward(Fields& f) {
  f.field("model", model,
          "A model directory, or the name of an earlier stage that trains a reward model or classifier.");
  f.required();
  f.field("weights", weights, "Of a model with several scores: what each weighs in the sum, by name, others 0; by default the "
                              "value is their mean.");
  f.field("sigmoid", sigmoid, "Maps the value onto 0 … 1, a classifier's log-odds onto its probability.");
  f.field("from", from, "Two numbers, low and high: the value is clipped to them.");
  f.check(from.empty() || (from.size() == 2 && from[0] < from[1]), "from", "expected two numbers, the smaller first");
  f.field("to", to, "Two numbers that `from` is mapped onto.");
  f.check(from.empty() ? to.empty() : to.size() == 2, "to", "expected two numbers, together with `from`");
}

std::unique_ptr<Reward> ModelScoreSpec::make(const Services& services) const {
  return std::make_unique<ModelScore>(*this, services.scorer(model));
}

}  // namespace hone
