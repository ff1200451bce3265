#include "text/added_tokens.h"

#include "text/code_points.h"
#include "text/normalizer.h"
#include "text/unicode_classes.h"

#include <algorithm>
#include <iterator>

namespace hone {
namespace {

/// The last character of text[from, end), and where it begins. `text` may hold broken UTF-8.
char32_t character_before(std::string_view text, std::size_t from, std::size_t end, std::size_t& begin) {
  begin = end - 1;
  while (begin > from && end - begin < 4 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
  std::size_t at = 0;
  return next_code_point(std::string(text.substr(begin, end - begin)).append(4, '\0'), at);
}

char32_t character_at(std::string_view text, std::size_t begin, std::size_t& length) {
  length = 0;
  return next_code_point(std::string(text.substr(begin, 4)).append(4, '\0'), length);
}

/// Where the white space that ends at `end` begins, not before `from`.
std::size_t white_space_before(std::string_view text, std::size_t from, std::size_t end) {
  while (end > from) {
    std::size_t begin = 0;
    if (!is_white_space(character_before(text, from, end, begin))) break;
    end = begin;
  }
  return end;
}

std::size_t white_space_after(std::string_view text, std::size_t begin) {
  while (begin < text.size()) {
    std::size_t length = 0;
    if (!is_white_space(character_at(text, begin, length))) break;
    begin += length;
  }
  return begin;
}

bool is_word(char32_t point) { return point <= 0x10FFFF && char_class(point).is_rust_word(); }

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  std::size_t unused = 0;
  return (begin == 0 || !is_word(character_before(text, 0, begin, unused))) &&
         (end == text.size() || !is_word(character_at(text, end, unused)));
}

}  // namespace

std::vector<AddedToken> matched_in_original(const std::vector<AddedToken>& added) {
  std::vector<AddedToken> result;
  std::copy_if(added.begin(), added.end(), std::back_inserter(result), [](const auto& t) { return !t.normalized; });
  return result;
}

std::vector<AddedToken> matched_in_normalized(const std::vector<AddedToken>& added, const Normalizer* normalizer) {
  std::vector<AddedToken> result;
  for (AddedToken token : added) {
    if (!token.normalized) continue;
    AlignedText text(token.text, false);
    if (normalizer != nullptr) normalizer->normalize(text);
    token.text = text.text();
    if (!token.text.empty()) result.push_back(std::move(token));
  }
  return result;
}

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)), nodes_(1) {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    std::size_t node = 0;
    for (const char byte : tokens_[i].text) {
      std::size_t next = child(node, byte);
      if (next == kNone) {
        next = nodes_.size();
        nodes_[node].children.emplace_back(static_cast<unsigned char>(byte), next);
        nodes_.emplace_back();
      }
      node = next;
    }
    if (nodes_[node].token == kNone && node != 0) nodes_[node].token = i;
  }
  roots_.fill(kNone);
  for (const auto& [byte, node] : nodes_[0].children) roots_[byte] = node;
}

std::size_t AddedTokenMatcher::child(std::size_t node, char byte) const {
  for (const auto& [label, next] : nodes_[node].children) {
    if (label == static_cast<unsigned char>(byte)) return next;
  }
  return kNone;
}

/// The longest token at text[at] that ends by `bound`, or kNone.
std::size_t AddedTokenMatcher::longest(std::string_view text, std::size_t at, std::size_t bound) const {
  std::size_t found = kNone;
  std::size_t node = roots_[static_cast<unsigned char>(text[at++])];
  while (node != kNone) {
    if (nodes_[node].token != kNone) found = nodes_[node].token;
    if (at >= bound) break;
    node = child(node, text[at++]);
  }
  return found;
}

/// What the token's flags make of a match; false when they rule it out.
bool AddedTokenMatcher::extend(std::string_view text, const AddedToken& token, std::size_t done, Match& match) const {
  if (token.single_word && !stands_alone(text, match.begin, match.end)) return false;
  if (token.lstrip) match.begin = std::max(done, white_space_before(text, 0, match.begin));
  if (token.rstrip) match.end = white_space_after(text, match.end);
  return true;
}

std::optional<AddedTokenMatcher::Match> AddedTokenMatcher::find(std::string_view text, std::size_t from) const {
  for (std::size_t at = from; at < text.size(); ++at) {
    if (roots_[static_cast<unsigned char>(text[at])] == kNone) continue;
    const std::size_t index = longest(text, at, text.size());
    if (index == kNone) continue;
    Match match{at, at + tokens_[index].text.size(), tokens_[index].id};
    if (extend(text, tokens_[index], from, match)) return match;
  }
  return std::nullopt;
}

std::vector<AddedTokenMatcher::Match> AddedTokenMatcher::find_all(std::string_view text, const Rules& rules) const {
  std::vector<Match> matches;
  if (tokens_.empty()) return matches;
  auto untrusted = rules.untrusted.begin();
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    while (untrusted != rules.untrusted.end() && untrusted->end <= at) ++untrusted;
    if (untrusted != rules.untrusted.end() && untrusted->begin <= at) {
      at = untrusted->end;
      continue;
    }
    const std::size_t bound = untrusted == rules.untrusted.end() ? text.size() : std::min(untrusted->begin, text.size());
    const bool possible = roots_[static_cast<unsigned char>(text[at])] != kNone;
    const std::size_t index = possible ? longest(text, at, bound) : kNone;
    if (index == kNone) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[index];
    Match match{at, at + token.text.size(), token.id};
    at = match.end;
    // A match that does not count still takes its place, as in the tokenizers library.
    if ((token.special && !rules.special) || !extend(text, token, done, match)) continue;
    matches.push_back(match);
    done = match.end;
  }
  return matches;
}

}  // namespace hone
