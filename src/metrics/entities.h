#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/classification.h"

namespace hone {

/// A run of tokens of one type.
struct TaggedEntity {
  std::string type;
  std::size_t first = 0;
  std::size_t last = 0;  ///< inclusive
  bool operator==(const TaggedEntity&) const = default;
};

/// The entities of a sentence's tags, which are O or one of B, I, E, S with a type behind a hyphen ("B-PER"),
/// read as conlleval and seqeval's default mode do: an I that follows another type begins an entity too.
std::vector<TaggedEntity> tagged_entities(std::span<const std::string> tags);

/// Whether every tag is O or one of those with a type.
bool are_entity_tags(std::span<const std::string> tags);

struct EntityScores {
  ClassScores all;  ///< over all entities: a prediction is right when type and borders are
  std::map<std::string, ClassScores> by_type;
};

/// Equal to seqeval's; sentences of both lists correspond, and are equally long.
EntityScores entity_scores(std::span<const std::vector<std::string>> labels,
                           std::span<const std::vector<std::string>> predictions);

}  // namespace hone
