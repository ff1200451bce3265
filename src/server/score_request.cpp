#include "server/score_request.h"

#include <exception>
#include <map>
#include <utility>

#include "base/error.h"
#include "plugin/wire.h"

namespace hone {

namespace {

const Json::Array* optional_list(const Json& json, std::string_view key, std::size_t count) {
  const Json* list = json.find(key);
  if (list == nullptr || list->is_null()) return nullptr;
  if (!list->is_array() || list->as_array().size() != count) {
    fail(ErrorKind::data, "\"{}\": expected a list of {}, one a completion, got {}", key, count,
         list->is_array() ? std::to_string(list->as_array().size()) : std::string(list->type_name()));
  }
  return &list->as_array();
}

Json::Array items_of_lists(const Json& json) {
  const Json* completions = json.find("completions");
  if (completions == nullptr || !completions->is_array()) {
    fail(ErrorKind::data, "expected {{\"items\": [...]}} or {{\"prompts\": [...], \"completions\": [...]}}, got {}",
         json.is_object() ? "neither list" : json.type_name());
  }
  const std::size_t count = completions->as_array().size();
  const Json::Array* prompts = optional_list(json, "prompts", count);
  const Json::Array* references = optional_list(json, "references", count);
  const Json::Array* metadata = optional_list(json, "metadata", count);
  std::map<std::string, std::int64_t> groups;
  Json::Array items;
  for (std::size_t i = 0; i < count; ++i) {
    Json item = metadata != nullptr && (*metadata)[i].is_object() ? (*metadata)[i] : Json::object();
    if (prompts != nullptr) item.set((*prompts)[i].is_array() ? "messages" : "prompt", (*prompts)[i]);
    if (item.find("group") == nullptr) {
      const std::string prompt = prompts != nullptr ? (*prompts)[i].dump() : "";
      item.set("group", groups.emplace(prompt, static_cast<std::int64_t>(groups.size())).first->second);
    }
    item.set("completion", completions->as_array()[i]);
    if (references != nullptr) item.set("reference", (*references)[i]);
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace

std::vector<Episode> read_score_request(std::string_view body) {
  Json json = Json::parse(body, "the request");
  if (const Json* protocol = json.find("protocol"); protocol != nullptr && *protocol != Json(plugin_protocol)) {
    fail(ErrorKind::data, "\"protocol\": expected {}, got {}", plugin_protocol, protocol->dump());
  }
  const Json* listed = json.find("items");
  const Json::Array items = listed != nullptr ? listed->as_array() : items_of_lists(json);
  std::vector<Episode> episodes;
  episodes.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    try {
      episodes.push_back(item_from_json(items[i]).episode);
    } catch (const Error& error) {
      fail(ErrorKind::data, "item {} of {}: {}", i + 1, items.size(), error.what());
    }
  }
  return episodes;
}

std::vector<Score> scores_of(Reward& reward, std::span<const Episode> episodes) {
  try {
    std::vector<Score> scores = reward.score(episodes);
    if (scores.size() == episodes.size()) return scores;
    const std::string why = fmt::format("the reward returned {} scores for {} episodes", scores.size(), episodes.size());
    return std::vector<Score>(episodes.size(), Score::error(why, "protocol"));
  } catch (const std::exception& error) {
    return std::vector<Score>(episodes.size(), Score::error(error.what()));
  }
}

std::string score_reply(std::span<const Score> scores) {
  Json::Array list;
  list.reserve(scores.size());
  for (const Score& score : scores) list.push_back(score_json(score));
  Json reply = Json::object();
  reply.set("scores", std::move(list));
  return reply.dump();
}

std::string error_reply(std::string_view why) {
  Json reply = Json::object();
  reply.set("error", why);
  return reply.dump();
}

}  // namespace hone
