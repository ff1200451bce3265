#include "predict/context_words.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "text/code_points.h"
#include "text/unicode_classes.h"

namespace hone {
namespace {

enum class Kind { space, letter, number, other };

Kind kind_at(std::string_view text, std::size_t at, std::size_t& behind) {
  behind = at;
  const char32_t point = next_code_point(text, behind);
  const CharClass is = char_class(point);
  return is_white_space(point) ? Kind::space
         : is.is_letter()      ? Kind::letter
         : is.is_number()      ? Kind::number
                               : Kind::other;
}

/// Behind the characters of one kind that begin at `at`.
std::size_t end_of_run(std::string_view text, std::size_t at, Kind kind) {
  for (std::size_t behind = at; at < text.size() && kind_at(text, at, behind) == kind;) at = behind;
  return at;
}

std::size_t contraction_at(std::string_view text, std::size_t at) {
  for (const std::string_view end : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.substr(at).starts_with(end)) return end.size();
  }
  return 0;
}

/// Behind the last character of the white space that begins at `at`, but for one where something follows.
std::size_t end_of_spaces(std::string_view text, std::size_t at) {
  const std::size_t end = end_of_run(text, at, Kind::space);
  if (end == text.size()) return end;
  std::size_t last = at;
  for (std::size_t behind = at; behind < end;) {
    last = behind;
    next_code_point(text, behind);
  }
  return last > at ? last : end;
}

/// Where the words of kGpt2Split end.
std::vector<std::size_t> byte_level_ends(std::string_view text) {
  std::vector<std::size_t> ends;
  for (std::size_t at = 0; at < text.size(); at = ends.back()) {
    if (const std::size_t length = contraction_at(text, at); length > 0) {
      ends.push_back(at + length);
      continue;
    }
    std::size_t behind = at;
    const std::size_t first = text[at] == ' ' && at + 1 < text.size() ? at + 1 : at;
    const Kind kind = kind_at(text, first, behind);
    ends.push_back(kind == Kind::space ? end_of_spaces(text, at) : end_of_run(text, first, kind));
  }
  return ends;
}

/// Where the white space behind each word begins, and the end.
std::vector<std::size_t> spaced_ends(std::string_view text) {
  std::vector<std::size_t> ends;
  bool in_word = false;
  for (std::size_t at = 0, behind = 0; at < text.size(); at = behind) {
    const bool space = kind_at(text, at, behind) == Kind::space;
    if (space && in_word) ends.push_back(at);
    in_word = !space;
  }
  ends.push_back(text.size());
  return ends;
}

}  // namespace

void number_words(std::string_view context, WordRule rule, std::span<const std::string> spellings,
                  std::span<ContextToken> tokens) {
  HONE_ASSERT(spellings.size() == tokens.size());
  if (rule == WordRule::subword_marks) {
    std::int32_t word = -1;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (word < 0 || !spellings[i].starts_with("##")) ++word;
      tokens[i].word = word;
    }
    return;
  }
  const std::vector<std::size_t> ends = rule == WordRule::byte_level ? byte_level_ends(context) : spaced_ends(context);
  for (ContextToken& token : tokens) {
    // Nothing is left of a token of spaces whose offsets are trimmed, but its end.
    const std::size_t place = token.begin == token.end && token.begin > 0 ? token.begin - 1 : token.begin;
    const auto next = std::upper_bound(ends.begin(), ends.end(), place);
    token.word = static_cast<std::int32_t>(next - ends.begin());
  }
}

}  // namespace hone
