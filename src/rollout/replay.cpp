#include "rollout/replay.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "flow/names.h"
#include "rollout/collect.h"

namespace hone {

namespace {

constexpr std::uint64_t most_prompts_searched = 1'000'000;

template <class Names>
std::size_t name_index(const Names& names, const Json& json, std::string_view key) {
  const std::string& word = json.as_string();
  const auto found = std::find(names.begin(), names.end(), word);
  if (found == names.end()) fail(ErrorKind::data, "{} is '{}', expected one of {}", key, word, fmt::join(names, ", "));
  return static_cast<std::size_t>(found - names.begin());
}

std::vector<std::int32_t> ids_of(const Json& json, std::string_view what, std::int32_t vocabulary) {
  std::vector<std::int32_t> ids;
  for (const Json& item : json.as_array()) {
    const std::int64_t id = item.as_integer();
    if (id < 0 || id >= vocabulary) {
      fail(ErrorKind::data, "{} hold {}, the tokenizer has ids from 0 to {}: the record is of another vocabulary", what,
           id, vocabulary - 1);
    }
    ids.push_back(static_cast<std::int32_t>(id));
  }
  return ids;
}

std::vector<float> logprobs_of(const Json& json, std::string_view what, std::size_t tokens) {
  std::vector<float> values;
  for (const Json& item : json.as_array()) {
    values.push_back(static_cast<float>(item.as_number()));
    if (!std::isfinite(values.back())) fail(ErrorKind::data, "{} hold a value that is not finite", what);
  }
  if (values.size() != tokens) fail(ErrorKind::data, "there are {} {} for {} ids", values.size(), what, tokens);
  return values;
}

ScoreSpan span_of(const Json& json, const std::vector<Turn>& turns) {
  const Json::Array& fields = json.as_array();
  if (fields.size() != 3)
    fail(ErrorKind::data, "a span has {} fields, expected [turn, end token, value]", fields.size());
  const ScoreSpan span{fields[0].as_integer(), fields[1].as_integer(), fields[2].as_number()};
  const bool in_episode = span.turn >= 0 && span.turn < static_cast<std::int64_t>(turns.size());
  const std::size_t tokens = in_episode ? turns[static_cast<std::size_t>(span.turn)].completion.ids.size() : 0;
  if (span.end_token < 1 || span.end_token > static_cast<std::int64_t>(tokens)) {
    fail(ErrorKind::data, "a span ends at token {} of turn {}, which the episode does not have", span.end_token,
         span.turn);
  }
  return span;
}

Score score_of(const Json& json, const std::vector<Turn>& turns) {
  Score score;
  if (const Json* status = json.find("status")) {
    score.status = static_cast<ScoreStatus>(name_index(score_status_names, *status, "status"));
  }
  score.value = json.at("value").as_number();
  if (const Json* note = json.find("note")) score.note = note->as_string();
  if (const Json* parts = json.find("parts")) {
    for (const auto& [name, value] : parts->as_object()) score.parts.emplace_back(name, value.as_number());
  }
  if (const Json* spans = json.find("spans")) {
    for (const Json& span : spans->as_array()) score.spans.push_back(span_of(span, turns));
  }
  return score;
}

std::string_view shown(std::string_view text) { return text.substr(0, 60); }

}  // namespace

RolloutReplay::RolloutReplay(const std::filesystem::path& path, const Environment& environment,
                             const Tokenizer& tokenizer, const ReplayNeeds& needs)
    : path_(path), environment_(environment), tokenizer_(tokenizer), needs_(needs) {
  check_file();
  open();
}

void RolloutReplay::open() {
  lines_ = std::make_unique<LineReader>(path_, CharacterEncoding::utf8);
  last_ = {};
}

bool RolloutReplay::next(Line& line) {
  std::string text;
  if (!lines_->next_filled(text)) return false;
  const std::string place = fmt::format("{}:{}", path_.string(), lines_->number());
  const Json json = Json::parse(text, place);
  try {
    line = parse(json);
  } catch (const Error& error) {
    fail(error.kind(), "{}: {}", place, error.what());
  }
  return true;
}

void RolloutReplay::check_file() {
  open();
  std::int64_t iteration = 0, rows = 0;
  bool first = true;
  Episode before;
  std::int64_t members = 0;  // of its group, so far
  for (Line line; iteration <= needs_.iterations && next(line); first = false) {
    if (first) {
      has_logprobs_ = line.has_logprobs;
      has_scores_ = line.has_score;
    }
    const std::string place = fmt::format("{}:{}", path_.string(), lines_->number());
    if (line.has_logprobs != has_logprobs_ || line.has_score != has_scores_) {
      fail(ErrorKind::data, "{}: this line {} {} and the first one does not; all lines must be alike", place,
           line.has_logprobs != has_logprobs_ ? (line.has_logprobs ? "has" : "lacks")
                                              : (line.has_score ? "has" : "lacks"),
           line.has_logprobs != has_logprobs_ ? "log-probabilities" : "a score");
    }
    check_order(line, iteration, rows);
    if (iteration > needs_.iterations) break;
    if (!first) check_group(&line.episode, before, members);
    const bool same = !first && before.visit == line.episode.visit && before.group == line.episode.group;
    members = same ? members + 1 : 1;
    before = std::move(line.episode);
  }
  if (members > 0) check_group(nullptr, before, members);
  if (iteration > needs_.iterations) return;
  if (iteration < needs_.iterations || rows < needs_.episodes) {
    fail(ErrorKind::data,
         "{} ends in iteration {} with {} episodes; the stage runs {} iterations of {}: set `iterations` and "
         "`prompts` × `samples` to those of the recorded run, or record more",
         path_.string(), iteration, rows, needs_.iterations, needs_.episodes);
  }
}

void RolloutReplay::check_order(const Line& line, std::int64_t& iteration, std::int64_t& rows) const {
  const bool complete = iteration == 0 || rows == needs_.episodes;
  if (line.iteration == iteration && rows < needs_.episodes) {
    ++rows;
  } else if (line.iteration == iteration + 1 && complete) {
    iteration = line.iteration;
    rows = 1;
  } else {
    fail(ErrorKind::data,
         "{}:{}: an episode of iteration {} after {} of iteration {}; the stage wants iterations 1, 2, … of {} "
         "episodes each (`prompts` × `samples`)",
         path_.string(), lines_->number(), line.iteration, rows, iteration, needs_.episodes);
  }
}

void RolloutReplay::check_group(const Episode* now, const Episode& before, std::int64_t members) const {
  const bool ends = now == nullptr || now->visit != before.visit || now->group != before.group;
  if (needs_.samples == 1 || (ends ? members == needs_.samples : members < needs_.samples)) return;
  fail(ErrorKind::data, "{}:{}: group {} of iteration {} has {} episodes, the stage's groups have {} (`samples`)",
       path_.string(), lines_->number(), before.group, before.visit, ends ? members : members + 1, needs_.samples);
}

RolloutReplay::Line RolloutReplay::parse(const Json& json) {
  Line line{.iteration = json.at("iteration").as_integer()};
  Episode& episode = line.episode;
  episode.visit = static_cast<std::uint64_t>(line.iteration);
  episode.prompt = find_prompt(json);
  episode.prompt_ids = prompt_ids(json, episode.prompt);
  for (const Json& turn : json.at("turns").as_array()) episode.turns.push_back(parse_turn(turn));
  if (episode.turns.empty()) fail(ErrorKind::data, "turns is empty, expected at least one completion");
  line.has_logprobs = std::all_of(episode.turns.begin(), episode.turns.end(),
                                  [](const Turn& turn) { return !turn.completion.logprob.empty(); });
  const std::size_t tokens = episode.token_stream().size();
  if (tokens > static_cast<std::size_t>(needs_.context)) {
    fail(ErrorKind::data, "the episode has {} tokens, the model's context is {}", tokens, needs_.context);
  }
  const Json* score = json.find("score");
  line.has_score = score != nullptr;
  if (line.has_score) episode.score = score_of(*score, episode.turns);
  place_in_group(json, line);
  return line;
}

Prompt RolloutReplay::find_prompt(const Json& json) {
  const std::string& text = json.at("prompt").as_string();
  const std::uint64_t size = environment_.size(Split::train);
  std::uint64_t index = 0;
  if (const Json* recorded = json.find("prompt_id")) {
    const auto id = static_cast<std::uint64_t>(recorded->as_integer());
    index = id >> 1;
    if (id != prompt_id(Split::train, index) || index >= size) {
      fail(ErrorKind::data,
           "prompt_id {} is no training prompt of this run's environment, which has {}: the record is of "
           "other prompts",
           id, size);
    }
  } else {
    if (index_of_text_.empty()) {
      if (size > most_prompts_searched) {
        fail(ErrorKind::data,
             "there is no prompt_id, and the environment has {} prompts, too many to search for its text", size);
      }
      for (std::uint64_t i = 0; i < size; ++i) index_of_text_.try_emplace(environment_.prompt(Split::train, i).text, i);
    }
    const auto found = index_of_text_.find(text);
    if (found == index_of_text_.end()) {
      fail(ErrorKind::data, "no training prompt of this run's environment reads '{}': the record is of other prompts",
           shown(text));
    }
    index = found->second;
  }
  Prompt prompt = environment_.prompt(Split::train, index);
  if (prompt.text != text) {
    fail(ErrorKind::data,
         "prompt {} reads '{}', in this run's environment '{}': the record is of other prompts (another "
         "environment, data file or seed)",
         prompt.id, shown(text), shown(prompt.text));
  }
  return prompt;
}

std::vector<std::int32_t> RolloutReplay::prompt_ids(const Json& json, const Prompt& prompt) const {
  std::vector<std::int32_t> ids = encode_prompt(tokenizer_, prompt);
  const Json* recorded = json.find("prompt_ids");
  if (recorded != nullptr && ids_of(*recorded, "prompt_ids", tokenizer_.vocab_size()) != ids) {
    fail(ErrorKind::data, "this run's tokenizer makes other ids of '{}': the record is of another vocabulary",
         shown(prompt.text));
  }
  return ids;
}

Turn RolloutReplay::parse_turn(const Json& json) const {
  Turn turn;
  Completion& written = turn.completion;
  const std::int32_t vocabulary = tokenizer_.vocab_size();
  written.ids = ids_of(json.at("ids"), "ids", vocabulary);
  if (written.ids.empty()) fail(ErrorKind::data, "a turn has no ids, expected at least one token");
  const Json* text = json.find("text");
  written.text = text == nullptr ? tokenizer_.decode(written.ids) : text->as_string();
  if (const Json* values = json.find("logprobs"))
    written.logprob = logprobs_of(*values, "logprobs", written.ids.size());
  if (const Json* values = json.find("sampler_logprobs")) {
    written.sampler_logprob = logprobs_of(*values, "sampler_logprobs", written.ids.size());
  }
  if (const Json* finish = json.find("finish")) {
    written.finish = static_cast<FinishReason>(name_index(finish_names, *finish, "finish"));
  } else {
    written.finish = tokenizer_.eos_id() == written.ids.back() ? FinishReason::stop : FinishReason::length;
  }
  if (const Json* reply = json.find("reply")) turn.reply = reply->as_string();
  if (const Json* ids = json.find("reply_ids")) turn.reply_ids = ids_of(*ids, "reply_ids", vocabulary);
  return turn;
}

void RolloutReplay::place_in_group(const Json& json, Line& line) {
  Episode& episode = line.episode;
  const bool same_iteration = line.iteration == last_.iteration;
  const std::int64_t row = same_iteration ? last_.row + 1 : 0;
  const Json* group = json.find("group");
  episode.group = group == nullptr ? row / needs_.samples : group->as_integer();
  const bool same_group = same_iteration && episode.group == last_.group;
  if (same_group && episode.prompt.text != last_.prompt) {
    fail(ErrorKind::data, "group {} holds the prompts '{}' and '{}'", episode.group, shown(last_.prompt),
         shown(episode.prompt.text));
  }
  const Json* sample = json.find("sample");
  episode.sample = sample != nullptr ? sample->as_integer() : same_group ? last_.sample + 1 : 0;
  last_ = {line.iteration, row, episode.group, episode.sample, episode.prompt.text};
}

std::vector<Episode> RolloutReplay::iteration(std::int64_t iteration, std::int64_t version) {
  std::vector<Episode> episodes;
  for (Line line; static_cast<std::int64_t>(episodes.size()) < needs_.episodes;) {
    if (!next(line))
      fail(ErrorKind::data, "{} changed while the run reads it: iteration {} is gone", path_.string(), iteration);
    if (line.iteration < iteration) continue;
    for (Turn& turn : line.episode.turns) turn.completion.version.assign(turn.completion.ids.size(), version);
    episodes.push_back(std::move(line.episode));
  }
  return episodes;
}

}  // namespace hone
