#include "plugin/http/dialect.h"

#include "base/error.h"
#include "plugin/wire.h"

namespace hone {

namespace {

Json label_of(const Episode& episode, std::string_view key) {
  const Json& reference = episode.prompt.reference;
  if (key.empty()) return reference;
  if (const Json* value = reference.find(key)) return *value;
  fail(ErrorKind::data, "prompt {}: its reference has no key \"{}\": {}", episode.prompt.id, key, reference.dump());
}

std::string items_body(std::span<const Episode> episodes, std::uint64_t seed_key) {
  Json::Array items;
  items.reserve(episodes.size());
  for (const Episode& episode : episodes) items.push_back(item_json(episode, episode_seed(seed_key, episode)));
  Json body = Json::object();
  body.set("protocol", plugin_protocol);
  body.set("items", std::move(items));
  return body.dump();
}

std::string lists_body(std::span<const Episode> episodes, std::uint64_t seed_key) {
  Json::Array prompts, completions, references, metadata;
  for (const Episode& episode : episodes) {
    Json item = item_json(episode, episode_seed(seed_key, episode));
    prompts.emplace_back(prompt_text(episode.prompt));
    completions.emplace_back(episode.completion_text());
    references.push_back(episode.prompt.reference);
    Json about = Json::object();
    for (const char* key : {"finish", "seed", "prompt_id", "group", "sample", "turns"}) {
      if (const Json* value = item.find(key)) about.set(key, *value);
    }
    metadata.push_back(std::move(about));
  }
  Json body = Json::object();
  body.set("protocol", plugin_protocol);
  body.set("prompts", std::move(prompts));
  body.set("completions", std::move(completions));
  body.set("references", std::move(references));
  body.set("metadata", std::move(metadata));
  return body.dump();
}

std::string openrlhf_body(std::span<const Episode> episodes, std::string_view label_key) {
  Json::Array queries, prompts, labels;
  for (const Episode& episode : episodes) {
    const std::string prompt = prompt_text(episode.prompt);
    queries.emplace_back(prompt + response_text(episode));
    prompts.emplace_back(prompt);
    labels.push_back(label_of(episode, label_key));
  }
  Json body = Json::object();
  body.set("query", std::move(queries));
  body.set("prompts", std::move(prompts));
  body.set("labels", std::move(labels));
  return body.dump();
}

std::string slime_body(std::span<const Episode> episodes, std::string_view label_key) {
  HONE_ASSERT(episodes.size() == 1);
  Json body = Json::object();
  body.set("prompt", prompt_text(episodes[0].prompt));
  body.set("response", response_text(episodes[0]));
  body.set("label", label_of(episodes[0], label_key));
  return body.dump();
}

const Json::Array& list_at(const Json& json, std::string_view key, std::string_view or_key, std::size_t count) {
  const Json* list = json.find(key);
  if (list == nullptr) list = json.find(or_key);
  if (list == nullptr || !list->is_array()) {
    const Json* why = json.find("error");
    fail(ErrorKind::data, "expected {{\"{}\": [{} numbers]}}, got {}", key, count,
         why != nullptr ? "the error " + why->dump() : std::string(json.type_name()) + " without such a list");
  }
  if (list->as_array().size() != count) {
    fail(ErrorKind::data, "expected {} scores, got {}", count, list->as_array().size());
  }
  return list->as_array();
}

std::vector<Score> listed_scores(const Json::Array& list) {
  std::vector<Score> scores;
  scores.reserve(list.size());
  for (const Json& score : list) scores.push_back(score_from_json(score));
  return scores;
}

/// Numbers that the service gives beside the reward, a list each, become parts of the scores.
std::vector<Score> openrlhf_scores(const Json& json, std::size_t count) {
  std::vector<Score> scores = listed_scores(list_at(json, "rewards", "scores", count));
  const Json* logs = json.find("extra_logs");
  if (logs == nullptr || !logs->is_object()) return scores;
  for (const auto& [name, values] : logs->as_object()) {
    if (!values.is_array() || values.as_array().size() != count) continue;
    for (std::size_t i = 0; i < count; ++i) {
      if (values.as_array()[i].is_number()) scores[i].parts.emplace_back(name, values.as_array()[i].as_number());
    }
  }
  return scores;
}

/// A number, or a map that holds it as `reward` or `score` and perhaps others beside it.
Score slime_score(const Json& json) {
  if (!json.is_object()) return score_from_json(json);
  for (const std::string_view key : {"reward", "score"}) {
    const Json* value = json.find(key);
    if (value == nullptr) continue;
    Score score = score_from_json(*value);
    for (const auto& [name, other] : json.as_object()) {
      if (name != key && other.is_number()) score.parts.emplace_back(name, other.as_number());
    }
    return score;
  }
  return score_from_json(json);
}

}  // namespace

std::string prompt_text(const Prompt& prompt) {
  if (prompt.messages.empty()) return prompt.text;
  std::string text;
  for (const Message& message : prompt.messages) text += fmt::format("{}: {}\n", message.role, message.content);
  return text;
}

std::string response_text(const Episode& episode) {
  std::string text;
  for (const Turn& turn : episode.turns) text += turn.completion.text + turn.reply;
  return text;
}

std::string http_request_body(HttpDialect dialect, std::span<const Episode> episodes, std::uint64_t seed_key,
                              std::string_view label_key) {
  switch (dialect) {
    case HttpDialect::hone: return items_body(episodes, seed_key);
    case HttpDialect::lists: return lists_body(episodes, seed_key);
    case HttpDialect::openrlhf: return openrlhf_body(episodes, label_key);
    case HttpDialect::slime: return slime_body(episodes, label_key);
  }
  return "";
}

std::vector<Score> http_scores(HttpDialect dialect, std::string_view body, std::size_t count) {
  const Json json = Json::parse(body, "the reply");
  if (dialect == HttpDialect::slime) return {slime_score(json)};
  if (dialect == HttpDialect::openrlhf) return openrlhf_scores(json, count);
  return listed_scores(list_at(json, "scores", "rewards", count));
}

}  // namespace hone
