#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "flow/types.h"

namespace hone::test {

/// {"answer": value}
inline Json answer(Json value) {
  Json reference = Json::object();
  reference.set("answer", std::move(value));
  return reference;
}

/// A finished single-turn episode whose completion has one token a byte and no end-of-sequence.
inline Episode episode(std::string completion, Json reference = Json()) {
  Episode episode;
  episode.prompt.text = "prompt";
  episode.prompt.reference = std::move(reference);
  episode.turns.emplace_back();
  episode.turns[0].completion.text = std::move(completion);
  for (const char c : episode.turns[0].completion.text) {
    episode.turns[0].completion.ids.push_back(static_cast<unsigned char>(c));
  }
  return episode;
}

/// An episode that was sampled as these ids.
inline Episode episode_of_ids(std::vector<std::int32_t> ids) {
  Episode made = episode("");
  made.turns[0].completion.ids = std::move(ids);
  return made;
}

inline Episode in_group(std::int64_t group, Episode episode) {
  episode.group = group;
  return episode;
}

}  // namespace hone::test
