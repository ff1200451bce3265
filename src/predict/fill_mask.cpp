#include "predict/fill_mask.h"

#include <algorithm>

#include "base/error.h"
#include "predict/scores.h"

namespace hone {

std::vector<std::int32_t> fill_mask_targets(std::span<const std::string> words, const Tokenizer& tokenizer) {
  std::vector<std::int32_t> targets;
  for (const std::string& word : words) {
    std::optional<std::int32_t> id = tokenizer.token_to_id(word);
    if (!id) {
      const std::vector<std::int32_t> ids = tokenizer.encode(word);
      if (ids.empty()) fail(ErrorKind::config, "the target '{}' has no tokens in this vocabulary", word);
      id = ids.front();
    }
    if (std::find(targets.begin(), targets.end(), *id) == targets.end()) targets.push_back(*id);
  }
  return targets;
}

std::vector<std::size_t> mask_places(std::span<const std::int32_t> ids, std::int32_t mask_id) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == mask_id) places.push_back(i);
  }
  if (places.empty())
    fail(ErrorKind::data, "the text has no mask token (id {}); write it where a word is to be filled in", mask_id);
  return places;
}

std::vector<std::vector<MaskFill>> fill_masks(std::span<const std::int32_t> ids, std::int32_t mask_id,
                                              std::optional<std::int32_t> pad_id, std::span<const float> logits_MV,
                                              const FillMaskSettings& settings, const DecodeIds& decode) {
  const std::vector<std::size_t> places = mask_places(ids, mask_id);
  const std::size_t vocabulary = logits_MV.size() / places.size();
  if (vocabulary == 0 || vocabulary * places.size() != logits_MV.size()) {
    fail(ErrorKind::data, "{} logits for {} masks: expected a row of the vocabulary each", logits_MV.size(),
         places.size());
  }
  for (const std::int32_t id : settings.targets) {
    if (id < 0 || static_cast<std::size_t>(id) >= vocabulary) {
      fail(ErrorKind::config, "the target id {} lies outside the {} logits of a row", id, vocabulary);
    }
  }
  std::vector<std::vector<MaskFill>> filled;
  for (std::size_t mask = 0; mask < places.size(); ++mask) {
    std::vector<float> scores = softmax(logits_MV.subspan(mask * vocabulary, vocabulary));
    if (!settings.targets.empty()) {
      std::vector<float> chosen;
      for (const std::int32_t id : settings.targets) chosen.push_back(scores[static_cast<std::size_t>(id)]);
      scores = std::move(chosen);
    }
    std::vector<MaskFill>& fills = filled.emplace_back();
    for (const std::size_t place : greatest(scores, settings.top_k)) {
      const std::int32_t id = settings.targets.empty() ? static_cast<std::int32_t>(place) : settings.targets[place];
      std::vector<std::int32_t> text(ids.begin(), ids.end());
      text[places[mask]] = id;
      if (pad_id) std::erase(text, *pad_id);
      // With several masks the others shall be seen.
      const SkipSpecial skip = places.size() == 1 ? SkipSpecial::yes : SkipSpecial::no;
      fills.push_back({scores[place], id, decode({&id, 1}, SkipSpecial::no), decode(text, skip)});
    }
  }
  return filled;
}

Json to_json(std::span<const std::vector<MaskFill>> masks) {
  Json all = Json::array();
  for (const std::vector<MaskFill>& fills : masks) {
    Json list = Json::array();
    for (const MaskFill& fill : fills) {
      list.push_back(Json::Object{{"score", static_cast<double>(fill.score)},
                                  {"token", std::int64_t{fill.token}},
                                  {"token_str", fill.token_str},
                                  {"sequence", fill.sequence}});
    }
    all.push_back(std::move(list));
  }
  return masks.size() == 1 ? all.as_array().front() : all;
}

}  // namespace hone
