#include "rewards/text_scores.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "base/error.h"

namespace hone {

namespace {

std::string text_before_last_completion(const Episode& episode) {
  std::string text = episode.prompt.text;
  for (std::size_t turn = 0; turn + 1 < episode.turns.size(); ++turn) {
    text += episode.turns[turn].completion.text;
    text += episode.turns[turn].reply;
  }
  return text;
}

}  // namespace

std::vector<Score> text_scores(TextScorer& scorer, std::span<const Episode> episodes, std::string_view judge,
                               const std::function<Score(double value)>& to_score) {
  std::vector<Score> scores(episodes.size());
  std::vector<TextScorer::Item> items;
  std::vector<std::size_t> judged;
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    if (!episodes[i].prompt.messages.empty()) {
      scores[i] = Score::error(fmt::format("{} judges prompts given as text, not as messages", judge));
      continue;
    }
    items.push_back({.prompt = text_before_last_completion(episodes[i]), .completion = episodes[i].completion_text()});
    judged.push_back(i);
  }
  if (items.empty()) return scores;
  const std::vector<double> values = scorer.score(items);
  if (values.size() != items.size()) {
    fail(ErrorKind::internal, "{} returned {} values for {} texts", judge, values.size(), items.size());
  }
  for (std::size_t i = 0; i < judged.size(); ++i) {
    scores[judged[i]] =
        std::isfinite(values[i]) ? to_score(values[i]) : Score::error(fmt::format("{} returned {}", judge, values[i]));
  }
  return scores;
}

}  // namespace hone
