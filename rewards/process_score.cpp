#include "rewards/process_score.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "rewards/text_scores.h"

namespace hone {

namespace {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

double combined(const std::vector<double>& probabilities, StepCredit credit) {
  switch (credit) {
    case StepCredit::min: return std::ranges::min(probabilities);
    case StepCredit::product: return std::accumulate(probabilities.begin(), probabilities.end(), 1.0, std::multiplies<>());
    case StepCredit::mean:
      return std::accumulate(probabilities.begin(), probabilities.end(), 0.0) / static_cast<double>(probabilities.size());
    default: return probabilities.back();
  }
}

class ProcessScore : public Reward {
 public:
  ProcessScore(const ProcessScoreSpec& spec, const Services& services)
      : scorer_(services.step_scorer(spec.model, spec.separator)),
        pieces_(services.pieces),
        model_(spec.model),
        separator_(spec.separator),
        credit_(spec.credit),
        to_(spec.to) {}

  std::vector<Score> score(std::span<const Episode> episodes) override {
    std::vector<Score> scores(episodes.size());
    std::vector<StepScorer::Item> items;
    std::vector<std::vector<CompletionStep>> steps(episodes.size());
    std::vector<std::size_t> judged;
    for (std::size_t i = 0; i < episodes.size(); ++i) {
      if (!episodes[i].prompt.messages.empty()) {
        scores[i] = Score::error(fmt::format("the model {} judges prompts given as text, not as messages", model_));
        continue;
      }
      steps[i] = steps_of(pieces_(episodes[i].turns.back().completion.ids), separator_);
      if (steps[i].empty()) {
        scores[i] = {.value = to_[0], .parts = {{"steps", 0}}};
        continue;
      }
      StepScorer::Item& item = items.emplace_back(StepScorer::Item{text_before_last_completion(episodes[i]), {}});
      for (const CompletionStep& step : steps[i]) item.steps.push_back(step.text);
      judged.push_back(i);
    }
    if (items.empty()) return scores;
    const std::vector<std::vector<double>> probabilities = scorer_->score(items);
    HONE_ASSERT(probabilities.size() == items.size());
    for (std::size_t k = 0; k < judged.size(); ++k) {
      const std::size_t i = judged[k];
      scores[i] = to_score(static_cast<std::int64_t>(episodes[i].turns.size()) - 1, steps[i], probabilities[k]);
    }
    return scores;
  }

 private:
  double worth(double probability) const { return to_[0] + probability * (to_[1] - to_[0]); }

  Score to_score(std::int64_t turn, const std::vector<CompletionStep>& steps,
                 const std::vector<double>& probabilities) const {
    HONE_ASSERT(probabilities.size() == steps.size());
    for (std::size_t s = 0; s < steps.size(); ++s) {
      if (std::isfinite(probabilities[s])) continue;
      return Score::error(fmt::format("the model {} cannot judge step {} of {}: it ends beyond the model's context", model_,
                                      s + 1, steps.size()), "refused");
    }
    Score score{.value = worth(combined(probabilities, credit_)),
                .parts = {{"mean", combined(probabilities, StepCredit::mean)},
                          {"min", combined(probabilities, StepCredit::min)},
                          {"steps", static_cast<double>(steps.size())}}};
    if (credit_ != StepCredit::each) return score;
    for (std::size_t s = 0; s + 1 < steps.size(); ++s) {
      score.spans.push_back({.turn = turn, .end_token = steps[s].end_token, .value = worth(probabilities[s])});
    }
    return score;
  }

  std::unique_ptr<StepScorer> scorer_;
  std::function<std::vector<std::string>(std::span<const std::int32_t>)> pieces_;
  std::string model_, separator_;
  StepCredit credit_;
  std::vector<double> to_;
};

}  // namespace

std::vector<CompletionStep> steps_of(const std::vector<std::string>& pieces, std::string_view separator) {
  std::string bytes;
  std::vector<std::size_t> ends;  // of the text after each token
  for (const std::string& piece : pieces) ends.push_back((bytes += piece).size());
  std::vector<CompletionStep> steps;
  for (std::size_t begin = 0; begin < bytes.size();) {
    const std::size_t found = bytes.find(separator, begin);
    const std::size_t end = std::min(found, bytes.size());
    const std::size_t next = found == std::string::npos ? bytes.size() : found + separator.size();
    if (const std::string_view text = std::string_view(bytes).substr(begin, end - begin); !is_blank(text)) {
      const auto token = std::ranges::lower_bound(ends, next) - ends.begin();
      steps.push_back({.text = valid_utf8(text), .end_token = token + 1});
    }
    begin = next;
  }
  if (!steps.empty()) steps.back().end_token = static_cast<std::int64_t>(pieces.size());
  return steps;
}

void ProcessScoreSpec::describe_reward(Fields& f) {
  f.field("model", model, "A model directory, or the name of an earlier stage that trains a reward model of steps.");
  f.required();
  f.field("separator", separator, "What ends a step; as the model's step_separator.");
  f.check(!separator.empty(), "separator", "must not be empty");
  f.choice("credit", credit, step_credit_names,
           "each: every step is rewarded where it ends. min, product, mean, last: one number at the end.");
  f.field("to", to, "Two numbers that the probabilities 0 and 1 of a step are mapped onto.");
  f.check(to.size() == 2 && to[0] < to[1], "to", "expected two numbers, the smaller first");
}

std::unique_ptr<Reward> ProcessScoreSpec::make(const Services& services) const {
  return std::make_unique<ProcessScore>(*this, services);
}

}  // namespace hone
