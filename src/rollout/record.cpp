#include "rollout/record.h"

#include <fstream>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "flow/names.h"
#include "io/file.h"
#include "rollout/json_lists.h"

namespace hone {

namespace {

Json turn_json(const Turn& turn) {
  const Completion& written = turn.completion;
  Json json = Json::object();
  json.set("ids", list_json(written.ids));
  json.set("text", written.text);
  json.set("logprobs", list_json(written.logprob));
  if (!written.sampler_logprob.empty()) json.set("sampler_logprobs", list_json(written.sampler_logprob));
  json.set("finish", finish_names[static_cast<std::size_t>(written.finish)]);
  if (!turn.reply_ids.empty() || !turn.reply.empty()) {
    json.set("reply", turn.reply);
    json.set("reply_ids", list_json(turn.reply_ids));
  }
  return json;
}

Json score_json(const Score& score) {
  Json json = Json::object();
  json.set("value", score.value);
  json.set("status", score_status_names[static_cast<std::size_t>(score.status)]);
  if (!score.note.empty()) json.set("note", score.note);
  Json parts = Json::object();
  for (const auto& [name, value] : score.parts) parts.set(name, value);
  json.set("parts", std::move(parts));
  if (!score.spans.empty()) {
    Json::Array spans;
    for (const ScoreSpan& span : score.spans) spans.emplace_back(Json::Array{span.turn, span.end_token, span.value});
    json.set("spans", std::move(spans));
  }
  return json;
}

/// Bytes of the leading lines that belong to the first `kept` iterations.
std::int64_t bytes_of(const std::filesystem::path& path, std::int64_t kept) {
  std::ifstream file(path, std::ios::binary);
  std::int64_t bytes = 0, last = 0;
  for (std::string line; kept > 0 && std::getline(file, line) && !file.eof();) {
    const std::int64_t iteration = Json::parse(line, path.string()).at("iteration").as_integer();
    if (iteration > kept) break;
    last = iteration;
    bytes += static_cast<std::int64_t>(line.size()) + 1;
  }
  if (last < kept) {
    log_warn("{}: the record ends with iteration {}, the run goes on behind {}: what is missing was deleted or lost",
             path.string(), last, kept);
  }
  return bytes;
}

const std::filesystem::path& with_directory(const std::filesystem::path& path) {
  if (path.has_parent_path()) make_directories(path.parent_path());
  return path;
}

}  // namespace

Json record_json(std::int64_t iteration, const Episode& episode) {
  Json json = Json::object();
  json.set("iteration", iteration);
  json.set("group", episode.group);
  json.set("sample", episode.sample);
  json.set("prompt_id", static_cast<std::int64_t>(episode.prompt.id));
  json.set("prompt", episode.prompt.text);
  json.set("prompt_ids", list_json(episode.prompt_ids));
  Json::Array turns;
  for (const Turn& turn : episode.turns) turns.push_back(turn_json(turn));
  json.set("turns", std::move(turns));
  json.set("score", score_json(episode.score));
  return json;
}

RolloutRecord::RolloutRecord(const std::filesystem::path& path, std::int64_t kept)
    : file_(with_directory(path), bytes_of(path, kept)) {}

void RolloutRecord::write(std::int64_t iteration, std::span<const Episode> episodes) {
  for (const Episode& episode : episodes) file_.append(record_json(iteration, episode).dump() + "\n");
}

}  // namespace hone
