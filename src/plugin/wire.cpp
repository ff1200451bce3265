#include "plugin/wire.h"

#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "flow/names.h"

namespace hone {

namespace {

constexpr std::array<std::string_view, 3> scopes{"sample", "group", "batch"};

template <std::size_t n>
std::size_t index_of(const std::array<std::string_view, n>& names, std::string_view name, std::string_view what) {
  for (std::size_t i = 0; i < n; ++i) {
    if (names[i] == name) return i;
  }
  std::string expected;
  for (const std::string_view known : names) expected += fmt::format("{}\"{}\"", expected.empty() ? "" : ", ", known);
  fail(ErrorKind::data, "{}: expected one of {}, got \"{}\"", what, expected, name);
}

Json ids_json(const std::vector<std::int32_t>& ids) {
  Json::Array array;
  array.reserve(ids.size());
  for (const std::int32_t id : ids) array.emplace_back(static_cast<std::int64_t>(id));
  return Json(std::move(array));
}

std::vector<std::int32_t> ids_from(const Json& json) {
  std::vector<std::int32_t> ids;
  for (const Json& id : json.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

std::vector<Message> messages_from(const Json& json) {
  std::vector<Message> messages;
  for (const Json& message : json.as_array()) {
    messages.push_back({message.at("role").as_string(), message.at("content").as_string()});
  }
  return messages;
}

Json turn_json(const Turn& turn) {
  Json json = Json::object();
  json.set("completion", turn.completion.text);
  json.set("completion_ids", ids_json(turn.completion.ids));
  json.set("reply", turn.reply);
  if (turn.reward) json.set("reward", *turn.reward);
  return json;
}

Turn turn_from(const Json& json) {
  Turn turn;
  turn.completion.text = json.at("completion").as_string();
  if (const Json* ids = json.find("completion_ids")) turn.completion.ids = ids_from(*ids);
  if (const Json* reply = json.find("reply")) turn.reply = reply->as_string();
  if (const Json* reward = json.find("reward")) turn.reward = reward->as_number();
  return turn;
}

std::int64_t integer_or(const Json& json, std::string_view key, std::int64_t otherwise) {
  const Json* value = json.find(key);
  return value == nullptr ? otherwise : value->as_integer();
}

/// JSON has no NaN: null and the names that programs write in its place.
double number_from(const Json& json) {
  if (json.is_number()) return json.as_number();
  if (json.is_null() || (json.is_string() && (json.as_string() == "NaN" || json.as_string() == "nan"))) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return json.as_number();
}

Score score_from_map(const Json& json) {
  if (const Json* why = json.find("error")) return Score::error(why->as_string());
  Score score;
  if (const Json* status = json.find("status")) {
    score.status = static_cast<ScoreStatus>(index_of(score_status_names, status->as_string(), "status"));
  }
  if (const Json* value = json.find("value")) {
    score.value = number_from(*value);
  } else if (score.status == ScoreStatus::ok) {
    fail(ErrorKind::data, "a score without \"value\": {}", json.dump());
  }
  if (const Json* parts = json.find("parts")) {
    for (const auto& [name, value] : parts->as_object()) score.parts.emplace_back(name, number_from(value));
  }
  if (const Json* note = json.find("note")) score.note = note->as_string();
  if (const Json* reason = json.find("reason")) score.reason = reason->as_string();
  if (score.status == ScoreStatus::error && score.reason.empty()) score.reason = "exception";
  if (const Json* spans = json.find("spans")) {
    for (const Json& span : spans->as_array()) {
      const Json::Array& fields = span.as_array();
      if (fields.size() != 3) fail(ErrorKind::data, "a span: expected [turn, end_token, value], got {}", span.dump());
      score.spans.push_back({fields[0].as_integer(), fields[1].as_integer(), number_from(fields[2])});
    }
  }
  return score;
}

}  // namespace

Json item_json(const Episode& episode, std::uint64_t seed) {
  Json json = Json::object();
  json.set("prompt", episode.prompt.text);
  if (!episode.prompt.messages.empty()) json.set("messages", to_json(episode.prompt.messages));
  json.set("completion", episode.completion_text());
  json.set("completion_ids", ids_json(episode.turns.back().completion.ids));
  json.set("reference", episode.prompt.reference);
  json.set("finish", finish_names[static_cast<std::size_t>(episode.finish())]);
  json.set("seed", static_cast<std::int64_t>(seed));
  json.set("prompt_id", static_cast<std::int64_t>(episode.prompt.id));
  json.set("group", episode.group);
  json.set("sample", episode.sample);
  if (episode.turns.size() > 1 || episode.turns.back().reward) {
    Json::Array turns;
    for (const Turn& turn : episode.turns) turns.push_back(turn_json(turn));
    json.set("turns", std::move(turns));
  }
  return json;
}

Item item_from_json(const Json& json) {
  Item item;
  Episode& episode = item.episode;
  if (const Json* prompt = json.find("prompt")) episode.prompt.text = prompt->as_string();
  if (const Json* messages = json.find("messages")) episode.prompt.messages = messages_from(*messages);
  if (const Json* reference = json.find("reference")) episode.prompt.reference = *reference;
  episode.prompt.id = static_cast<std::uint64_t>(integer_or(json, "prompt_id", 0));
  episode.group = integer_or(json, "group", 0);
  episode.sample = integer_or(json, "sample", 0);
  item.seed = static_cast<std::uint64_t>(integer_or(json, "seed", 0));
  if (json.find("seed") != nullptr) episode.seed = item.seed;
  if (const Json* turns = json.find("turns")) {
    for (const Json& turn : turns->as_array()) episode.turns.push_back(turn_from(turn));
  } else {
    episode.turns.push_back(turn_from(json));
  }
  if (episode.turns.empty()) fail(ErrorKind::data, "an item with an empty list of turns");
  if (const Json* finish = json.find("finish")) {
    episode.turns.back().completion.finish =
        static_cast<FinishReason>(index_of(finish_names, finish->as_string(), "finish"));
  }
  return item;
}

Score score_from_json(const Json& json) {
  try {
    if (json.is_null()) return Score::abstain("");
    if (json.is_bool()) return {.value = json.as_bool() ? 1.0 : 0.0};
    if (json.is_object()) return score_from_map(json);
    return {.value = number_from(json)};
  } catch (const Error& error) {
    return Score::error(error.what(), "protocol");
  }
}

Json score_json(const Score& score) {
  const bool plain = score.parts.empty() && score.note.empty() && score.spans.empty();
  if (plain && score.status == ScoreStatus::ok) return std::isfinite(score.value) ? Json(score.value) : Json("NaN");
  if (plain && score.status == ScoreStatus::abstain) return {};
  Json json = Json::object();
  if (score.status != ScoreStatus::ok) json.set("status", score_status_names[static_cast<std::size_t>(score.status)]);
  if (score.status == ScoreStatus::ok) json.set("value", score.value);
  if (!score.parts.empty()) {
    Json parts = Json::object();
    for (const auto& [name, value] : score.parts) parts.set(name, value);
    json.set("parts", std::move(parts));
  }
  if (!score.note.empty()) json.set("note", score.note);
  if (!score.reason.empty()) json.set("reason", score.reason);
  if (!score.spans.empty()) {
    Json::Array spans;
    for (const ScoreSpan& span : score.spans) spans.emplace_back(Json::Array{span.turn, span.end_token, span.value});
    json.set("spans", std::move(spans));
  }
  return json;
}

Json prompt_json(const Prompt& prompt, const std::optional<std::string>& demonstration) {
  Json json = Json::object();
  if (prompt.messages.empty()) {
    json.set("text", prompt.text);
  } else {
    json.set("messages", to_json(prompt.messages));
  }
  if (!prompt.reference.is_null()) json.set("reference", prompt.reference);
  if (demonstration) json.set("demonstration", *demonstration);
  return json;
}

WirePrompt prompt_from_json(const Json& json) {
  WirePrompt wire;
  if (const Json* messages = json.find("messages")) {
    wire.prompt.messages = messages_from(*messages);
  } else {
    wire.prompt.text = json.at("text").as_string();
  }
  if (const Json* reference = json.find("reference")) wire.prompt.reference = *reference;
  if (const Json* answer = json.find("demonstration"); answer != nullptr && !answer->is_null()) {
    wire.demonstration = answer->as_string();
  }
  return wire;
}

Json step_json(const Environment::Step& step) {
  Json json = Json::object();
  if (!step.failure.empty()) {
    json.set("error", step.failure);
    return json;
  }
  if (step.done) {
    json.set("done", true);
  } else {
    json.set("reply", step.reply);
  }
  if (step.reward) json.set("reward", *step.reward);
  return json;
}

Environment::Step step_from_json(const Json& json) {
  Environment::Step step;
  if (const Json* why = json.find("error")) {
    step.failure = why->as_string();
    return step;
  }
  const Json* done = json.find("done");
  const Json* reply = json.find("reply");
  step.done = done != nullptr ? done->as_bool() : reply == nullptr;
  if (!step.done) step.reply = json.at("reply").as_string();
  if (const Json* reward = json.find("reward"); reward != nullptr && !reward->is_null()) step.reward = reward->as_number();
  return step;
}

std::string_view scope_name(RewardScope scope) { return scopes[static_cast<std::size_t>(scope)]; }

RewardScope scope_from_name(std::string_view name) { return static_cast<RewardScope>(index_of(scopes, name, "scope")); }

}  // namespace hone
