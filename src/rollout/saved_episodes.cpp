#include "rollout/saved_episodes.h"

#include "rollout/json_lists.h"

namespace hone {

namespace {

Json turn_json(const Turn& turn) {
  const Completion& written = turn.completion;
  Json json = Json::object();
  json.set("ids", list_json(written.ids));
  json.set("text", written.text);
  json.set("logprobs", list_json(written.logprob));
  json.set("sampler_logprobs", list_json(written.sampler_logprob));
  json.set("versions", list_json(written.version));
  json.set("finish", static_cast<std::int64_t>(written.finish));
  json.set("reply", turn.reply);
  json.set("reply_ids", list_json(turn.reply_ids));
  json.set("reward", turn.reward ? Json(*turn.reward) : Json());
  return json;
}

Turn turn_from(const Json& json) {
  Turn turn;
  turn.completion.ids = list_from<std::int32_t>(json.at("ids"));
  turn.completion.text = json.at("text").as_string();
  turn.completion.logprob = list_from<float>(json.at("logprobs"));
  turn.completion.sampler_logprob = list_from<float>(json.at("sampler_logprobs"));
  turn.completion.version = list_from<std::int64_t>(json.at("versions"));
  turn.completion.finish = static_cast<FinishReason>(json.at("finish").as_integer());
  turn.reply = json.at("reply").as_string();
  turn.reply_ids = list_from<std::int32_t>(json.at("reply_ids"));
  if (const Json& reward = json.at("reward"); !reward.is_null()) turn.reward = reward.as_number();
  return turn;
}

/// The sum and what the sum was made of; its words are not needed again.
Json score_json(const Score& score) {
  Json json = Json::object();
  json.set("status", static_cast<std::int64_t>(score.status));
  json.set("value", score.value);
  Json::Array parts, spans;
  for (const auto& [name, value] : score.parts) parts.emplace_back(Json::Array{Json(name), Json(value)});
  for (const ScoreSpan& span : score.spans) spans.emplace_back(Json::Array{span.turn, span.end_token, span.value});
  json.set("parts", Json(std::move(parts)));
  json.set("spans", Json(std::move(spans)));
  return json;
}

Score score_from(const Json& json) {
  Score score{.value = json.at("value").as_number(),
              .status = static_cast<ScoreStatus>(json.at("status").as_integer())};
  for (const Json& part : json.at("parts").as_array()) {
    score.parts.emplace_back(part.as_array()[0].as_string(), part.as_array()[1].as_number());
  }
  for (const Json& span : json.at("spans").as_array()) {
    const Json::Array& fields = span.as_array();
    score.spans.push_back({fields[0].as_integer(), fields[1].as_integer(), fields[2].as_number()});
  }
  return score;
}

}  // namespace

Json save_episodes(std::span<const Episode> episodes, SavedScores scores) {
  Json::Array list;
  for (const Episode& episode : episodes) {
    Json json = Json::object();
    json.set("prompt", static_cast<std::int64_t>(episode.prompt.id));
    json.set("prompt_ids", list_json(episode.prompt_ids));
    json.set("group", episode.group);
    json.set("sample", episode.sample);
    json.set("visit", static_cast<std::int64_t>(episode.visit));
    json.set("failure", episode.failure);
    Json::Array turns;
    for (const Turn& turn : episode.turns) turns.push_back(turn_json(turn));
    json.set("turns", std::move(turns));
    if (scores == SavedScores::with) json.set("score", score_json(episode.score));
    list.push_back(std::move(json));
  }
  return Json(std::move(list));
}

std::vector<Episode> restore_episodes(const Json& json, const Environment& environment) {
  std::vector<Episode> episodes;
  for (const Json& item : json.as_array()) {
    Episode& episode = episodes.emplace_back();
    episode.prompt = environment.prompt(Split::train, static_cast<std::uint64_t>(item.at("prompt").as_integer()) >> 1);
    episode.prompt_ids = list_from<std::int32_t>(item.at("prompt_ids"));
    episode.group = item.at("group").as_integer();
    episode.sample = item.at("sample").as_integer();
    episode.visit = static_cast<std::uint64_t>(item.at("visit").as_integer());
    episode.failure = item.at("failure").as_string();
    for (const Json& turn : item.at("turns").as_array()) episode.turns.push_back(turn_from(turn));
    if (const Json* score = item.find("score")) episode.score = score_from(*score);
  }
  return episodes;
}

}  // namespace hone
