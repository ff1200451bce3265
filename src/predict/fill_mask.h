#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

namespace hone {

/// Ids to text; the tokenizer's decode.
using DecodeIds = std::function<std::string(std::span<const std::int32_t> ids, SkipSpecial skip)>;

struct FillMaskSettings {
  std::size_t top_k = 5;
  std::vector<std::int32_t>
      targets;  ///< empty: every token; else only these are looked at, and scores stay those among all
};

/// The tokens that these words name: the token of that spelling, else the first one of its encoding. Without
/// duplicates. Error{config} for a word without tokens.
std::vector<std::int32_t> fill_mask_targets(std::span<const std::string> words, const Tokenizer& tokenizer);

struct MaskFill {
  float score = 0;
  std::int32_t token = 0;
  std::string token_str;
  std::string sequence;  ///< the whole text with this mask filled; other masks stay
};

/// Where the masks are. Error{data} when there is none.
std::vector<std::size_t> mask_places(std::span<const std::int32_t> ids, std::int32_t mask_id);

/// The best fillings of each mask, best first. `logits_MV` has a row a mask, in order. Padding is left out of
/// `sequence`.
std::vector<std::vector<MaskFill>> fill_masks(std::span<const std::int32_t> ids, std::int32_t mask_id,
                                              std::optional<std::int32_t> pad_id, std::span<const float> logits_MV,
                                              const FillMaskSettings& settings, const DecodeIds& decode);

/// [{"score", "token", "token_str", "sequence"}, …] for one mask, a list of such lists for several.
Json to_json(std::span<const std::vector<MaskFill>> masks);

}  // namespace hone
