#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "text/pair_template.h"

namespace hone {

/// A question with as much of a context as the model takes.
struct AnswerWindow {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> type_ids;
  std::size_t context_begin = 0;  ///< place in `ids` of the first context token
  std::size_t first_token = 0;    ///< which token of the context that is
  std::size_t tokens = 0;         ///< context tokens in the window
};

/// Windows of at most `max_length` ids, each of which repeats the last `stride` context tokens of the one before (as
/// the tokenizers library truncates the second text). An empty context gives one window without context tokens.
/// Error{data} when the question leaves no room for more than `stride` context tokens.
std::vector<AnswerWindow> answer_windows(std::span<const std::int32_t> question, std::span<const std::int32_t> context,
                                         const PairTemplate& around, std::size_t max_length, std::size_t stride);

}  // namespace hone
