#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hone::math {

/// Where a completion may give its answer.
enum class Place {
  boxed,   ///< the last \boxed{…} or \fbox{…} with balanced braces
  hashes,  ///< the rest of the line after the last ####
  phrase,  ///< after the last "answer is" or "answer:", up to the end of the sentence
  number,  ///< the last number
  whole,   ///< all of it
};

/// The answer at the first of the places that the text has; nullopt when it has none of them. After `phrase`, a formula
/// in $…$ or \(…\) is preferred to the sentence, and a sentence that is no mathematics gives its first number.
/// Error{data} when the text exceeds the limits of matching.
std::optional<std::string> final_answer(std::string_view text, std::span<const Place> places);

}  // namespace hone::math
