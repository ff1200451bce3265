#include "text/added_tokens.h"

#include "text/code_points.h"

#include <algorithm>

namespace hone {
namespace {

/// Where the white space that ends at `end` begins, not before `from`. `text` may hold broken UTF-8.
std::size_t white_space_before(std::string_view text, std::size_t from, std::size_t end) {
  while (end > from) {
    std::size_t begin = end - 1;
    while (begin > from && end - begin < 4 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
    std::size_t at = 0;
    if (!is_white_space(next_code_point(std::string(text.substr(begin, end - begin)).append(4, '\0'), at))) break;
    end = begin;
  }
  return end;
}

std::size_t white_space_after(std::string_view text, std::size_t begin) {
  while (begin < text.size()) {
    std::size_t length = 0;
    if (!is_white_space(next_code_point(std::string(text.substr(begin, 4)).append(4, '\0'), length))) break;
    begin += length;
  }
  return begin;
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::stable_sort(tokens_.begin(), tokens_.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.text.size() > b.text.size(); });
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    by_first_[static_cast<unsigned char>(tokens_[i].text[0])].push_back(i);
  }
}

std::optional<AddedTokenMatcher::Match> AddedTokenMatcher::find(std::string_view text, std::size_t from) const {
  if (tokens_.empty()) return std::nullopt;
  for (std::size_t at = from; at < text.size(); ++at) {
    for (const std::size_t index : by_first_[static_cast<unsigned char>(text[at])]) {
      const AddedToken& token = tokens_[index];
      if (text.substr(at, token.text.size()) != token.text) continue;
      Match match{at, at + token.text.size(), token.id};
      if (token.lstrip) match.begin = white_space_before(text, from, match.begin);
      if (token.rstrip) match.end = white_space_after(text, match.end);
      return match;
    }
  }
  return std::nullopt;
}

}  // namespace hone
