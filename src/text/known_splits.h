#pragma once

#include "text/aligned_text.h"

#include <optional>
#include <string_view>
#include <vector>

namespace hone {

/// The patterns of split_patterns.h that have code of their own. Their matches cover every text.
enum class KnownSplit { gpt2, llama3, qwen2 };

std::optional<KnownSplit> known_split(std::string_view pattern);

/// Appends the matches in text[range], in time linear in its length.
void find_known(KnownSplit split, std::string_view text, TextRange range, std::vector<TextRange>& matches);

}  // namespace hone
