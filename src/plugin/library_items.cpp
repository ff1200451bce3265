#include "plugin/library_items.h"

#include "base/error.h"
#include "plugin/wire.h"

namespace hone {

namespace {

constexpr hone_text absent{nullptr, 0};
constexpr hone_text empty{"", 0};

hone_text text_of(const std::string& text) { return {text.c_str(), text.size()}; }

hone_turn turn_of(const Turn& turn, bool answered) {
  hone_turn view{};
  view.size = sizeof view;
  view.completion = text_of(turn.completion.text);
  view.completion_ids = turn.completion.ids.data();
  view.completion_id_count = turn.completion.ids.size();
  view.reply = answered ? text_of(turn.reply) : empty;
  view.has_reward = answered && turn.reward.has_value() ? 1 : 0;
  view.reward = view.has_reward == 1 ? *turn.reward : 0;
  return view;
}

/// The reference when it is a string or number, else its member "answer" when that is one; or null.
const Json* answer_of(const Json& reference) {
  const Json* answer = reference.is_object() ? reference.find("answer") : &reference;
  return answer != nullptr && (answer->is_string() || answer->is_number()) ? answer : nullptr;
}

std::int32_t finish_of(FinishReason finish) {
  switch (finish) {
    case FinishReason::stop: return HONE_FINISH_STOP;
    case FinishReason::length: return HONE_FINISH_LENGTH;
    case FinishReason::env: return HONE_FINISH_ENV;
    case FinishReason::abort: return HONE_FINISH_ABORT;
  }
  return HONE_FINISH_STOP;
}

}  // namespace

void LibraryItems::add(const Episode& episode, std::uint64_t seed, std::size_t turns) {
  HONE_ASSERT(turns <= episode.turns.size());
  Entry& entry = entries_.emplace_back();
  const Json& reference = episode.prompt.reference;
  entry.reference = reference.dump();
  if (!episode.prompt.messages.empty()) entry.messages = prompt_json(episode.prompt, {}).at("messages").dump();
  const Json* answer = answer_of(reference);
  if (answer != nullptr) entry.answer = answer->is_string() ? answer->as_string() : answer->dump();
  entry.turns.reserve(turns);
  const std::size_t answered = turns == episode.turns.size() ? turns : turns - 1;
  for (std::size_t i = 0; i < turns; ++i) entry.turns.push_back(turn_of(episode.turns[i], i < answered));
  for (const hone_turn& turn : entry.turns) entry.turn_pointers.push_back(&turn);

  hone_item& item = entry.item;
  item.size = sizeof item;
  item.prompt = text_of(episode.prompt.text);
  item.messages = episode.prompt.messages.empty() ? absent : text_of(entry.messages);
  item.completion = turns == 0 ? empty : entry.turns.back().completion;
  item.completion_ids = turns == 0 ? nullptr : entry.turns.back().completion_ids;
  item.completion_id_count = turns == 0 ? 0 : entry.turns.back().completion_id_count;
  item.reference = text_of(entry.reference);
  item.answer = answer == nullptr ? absent : text_of(entry.answer);
  item.turns = entry.turn_pointers.data();
  item.turn_count = turns;
  item.seed = seed;
  item.prompt_id = episode.prompt.id;
  item.group = episode.group;
  item.sample = episode.sample;
  item.finish = turns == 0 ? HONE_FINISH_STOP : finish_of(episode.turns[turns - 1].completion.finish);
  pointers_.push_back(&item);
}

}  // namespace hone
