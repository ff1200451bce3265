#include "rewards/text_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"

namespace hone {

std::string text_before_last_completion(const Episode& episode) {
  std::string text = episode.prompt.text;
  for (std::size_t turn = 0; turn + 1 < episode.turns.size(); ++turn) {
    text += episode.turns[turn].completion.text;
    text += episode.turns[turn].reply;
  }
  return text;
}

namespace {

/// What the last completion answers, as a conversation: earlier answers and replies are turns of it.
std::vector<Message> messages_before_last_completion(const Episode& episode) {
  std::vector<Message> messages = episode.prompt.messages;
  for (std::size_t turn = 0; turn + 1 < episode.turns.size(); ++turn) {
    messages.push_back({.role = "assistant", .content = episode.turns[turn].completion.text, .fields = {}});
    messages.push_back({.role = "user", .content = episode.turns[turn].reply, .fields = {}});
  }
  return messages;
}

TextScorer::Item item_of(const Episode& episode) {
  TextScorer::Item item{.completion = episode.completion_text()};
  if (episode.prompt.messages.empty()) {
    item.prompt = text_before_last_completion(episode);
  } else {
    item.messages = messages_before_last_completion(episode);
    item.tools = episode.prompt.tools;
  }
  return item;
}

}  // namespace

std::vector<Score> text_scores(TextScorer& scorer, std::span<const Episode> episodes, std::string_view judge,
                               const std::function<Score(std::span<const double> values)>& to_score) {
  std::vector<Score> scores(episodes.size());
  std::vector<TextScorer::Item> items;
  for (const Episode& episode : episodes) items.push_back(item_of(episode));
  if (items.empty()) return scores;
  const std::vector<double> values = scorer.score(items);
  const std::size_t width = std::max<std::size_t>(1, scorer.names().size());
  if (values.size() != items.size() * width) {
    fail(ErrorKind::internal, "{} returned {} values for {} texts", judge, values.size(), items.size());
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::span own = std::span(values).subspan(i * width, width);
    const auto flaw = std::ranges::find_if_not(own, [](double value) { return std::isfinite(value); });
    scores[i] = flaw == own.end() ? to_score(own) : Score::error(fmt::format("{} returned {}", judge, *flaw));
  }
  return scores;
}

}  // namespace hone
