#include "rewards/model_score.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "rewards/text_scores.h"

namespace hone {

namespace {

class ModelScore : public Reward {
 public:
  ModelScore(const ModelScoreSpec& spec, std::unique_ptr<TextScorer> scorer)
      : scorer_(std::move(scorer)),
        judge_(fmt::format("the model {}", spec.model)),
        sigmoid_(spec.sigmoid),
        from_(spec.from),
        to_(spec.to) {}

  std::vector<Score> score(std::span<const Episode> episodes) override {
    return text_scores(*scorer_, episodes, judge_, [this](double value) {
      return Score{.value = shaped(value), .parts = {{"raw", value}}};
    });
  }

 private:
  double shaped(double value) const {
    if (sigmoid_) value = 1.0 / (1.0 + std::exp(-value));
    if (from_.empty()) return value;
    const double share = (std::clamp(value, from_[0], from_[1]) - from_[0]) / (from_[1] - from_[0]);
    return to_[0] + share * (to_[1] - to_[0]);
  }

  std::unique_ptr<TextScorer> scorer_;
  std::string judge_;
  bool sigmoid_;
  std::vector<double> from_;
  std::vector<double> to_;
};

}  // namespace

void ModelScoreSpec::describe_reward(Fields& f) {
  f.field("model", model,
          "A model directory, or the name of an earlier stage that trains a reward model or classifier.");
  f.required();
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
