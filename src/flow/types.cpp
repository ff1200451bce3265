#include "flow/types.h"

#include "base/random.h"

namespace hone {

Json to_json(const std::vector<Message>& messages) {
  Json::Array array;
  for (const Message& message : messages) {
    Json json = Json::object();
    json.set("role", message.role);
    json.set("content", message.content);
    if (message.fields.is_object()) {
      for (const auto& [name, value] : message.fields.as_object()) json.set(name, value);
    }
    array.push_back(std::move(json));
  }
  return Json(std::move(array));
}

std::int64_t Episode::completion_tokens() const {
  std::int64_t count = 0;
  for (const Turn& turn : turns) count += static_cast<std::int64_t>(turn.completion.ids.size());
  return count;
}

std::vector<std::int32_t> Episode::token_stream() const {
  std::vector<std::int32_t> ids = prompt_ids;
  for (const Turn& turn : turns) {
    ids.insert(ids.end(), turn.completion.ids.begin(), turn.completion.ids.end());
    ids.insert(ids.end(), turn.reply_ids.begin(), turn.reply_ids.end());
  }
  return ids;
}

std::uint64_t episode_seed(std::uint64_t key, const Episode& episode) {
  if (episode.seed) return *episode.seed;
  const std::uint64_t visit_key = stream_key(key, "visit/" + std::to_string(episode.visit));
  return Random(visit_key, episode.prompt.id, static_cast<std::uint32_t>(episode.sample)).next64() >> 11;
}

}  // namespace hone
