#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace hone {

/// How tokens become entities. `none` leaves them alone; the others join neighbours of the same tag (B-TAG begins a new
/// entity, I-TAG and bare names go on). `first`, `average` and `max` first make the tokens of a word agree: on the tag
/// of its first token, of the mean of their scores, or of the token that is surest.
enum class Aggregation { none, simple, first, average, max };

struct TaggedToken {
  std::string spelling;   ///< as in tokenizer.json ("##ing", "Ġthe")
  std::size_t begin = 0;  ///< bytes [begin, end) of the text
  std::size_t end = 0;
  bool special = false;  ///< added by the tokenizer: no part of the text
  bool unknown = false;  ///< the unk token: stands for its text
};

/// One pass of the model over a text or a window of it.
struct TaggedWindow {
  std::string_view text;  ///< the whole text
  std::span<const TaggedToken> tokens_T;
  std::span<const float> logits_TL;
};

/// What the tokenizer's decoder makes of token spellings.
using JoinTokens = std::function<std::string(std::span<const std::string> spellings)>;

struct TokenClassifier {
  std::vector<std::string> labels;
  Aggregation aggregation = Aggregation::none;
  std::vector<std::string> ignored = {"O"};
  /// Whether the vocabulary marks tokens that go on a word (WordPiece's ##); else a space before a token begins a word.
  bool marks_subwords = false;
  JoinTokens join;
};

struct Entity {
  std::string label;  ///< without B- and I- when aggregated
  float score = 0;
  std::string word;
  std::int64_t start = 0;  ///< code points [start, end) of the text
  std::int64_t end = 0;
  std::optional<std::int64_t> index;  ///< of the token, without aggregation
};

/// The entities of one window in the order of the text. Error{data} when logits and tokens do not fit.
std::vector<Entity> find_entities(const TokenClassifier& classifier, const TaggedWindow& window);

/// The entities of overlapping windows: of those that overlap the longest stays, of equals the one with the highest
/// score.
std::vector<Entity> merge_overlapping(std::vector<Entity> entities);

/// [{"entity" or "entity_group", "score", "index" without aggregation, "word", "start", "end"}, …]
Json to_json(std::span<const Entity> entities);

}  // namespace hone
