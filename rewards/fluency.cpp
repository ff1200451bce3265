#include "rewards/fluency.h"

#include <utility>

#include "base/error.h"
#include "rewards/text_scores.h"

namespace hone {

namespace {

class Fluency : public Reward {
 public:
  Fluency(std::unique_ptr<TextScorer> scorer, const std::string& model)
      : scorer_(std::move(scorer)), judge_(fmt::format("the language model {}", model)) {}

  std::vector<Score> score(std::span<const Episode> episodes) override {
    return text_scores(*scorer_, episodes, judge_, [](std::span<const double> values) { return Score{.value = values[0]}; });
  }

 private:
  std::unique_ptr<TextScorer> scorer_;
  std::string judge_;
};

}  // namespace

void FluencySpec::describe_reward(Fields& f) {
  f.field("model", model, "A model directory, or `initial` for the weights that the stage starts from.");
}

std::unique_ptr<Reward> FluencySpec::make(const Services& services) const {
  return std::make_unique<Fluency>(services.likelihood(model), model);
}

}  // namespace hone
