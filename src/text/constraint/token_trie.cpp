#include "text/constraint/token_trie.h"

#include <algorithm>

#include "base/error.h"

namespace hone {
namespace {

constexpr std::size_t kLongestToken = 65'535;

std::size_t common_prefix(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

std::shared_ptr<const TokenTrie> TokenTrie::of(const Tokenizer& tokenizer, std::vector<std::int32_t> ends) {
  auto trie = std::make_shared<TokenTrie>();
  trie->vocab_size_ = tokenizer.vocab_size();
  if (ends.empty() && tokenizer.eos_id()) ends.push_back(*tokenizer.eos_id());
  for (const std::int32_t end : ends) {
    if (end < 0 || end >= trie->vocab_size_) {
      fail(ErrorKind::config, "the end-of-sequence id {} lies outside the vocabulary of {} tokens", end,
           trie->vocab_size_);
    }
  }
  trie->ends_ = std::move(ends);
  trie->read(tokenizer);
  trie->build();
  return trie;
}

std::string_view TokenTrie::bytes(std::int32_t id) const {
  if (id < 0 || id >= vocab_size_) return {};
  const auto at = static_cast<std::size_t>(id);
  return std::string_view(text_).substr(text_begin_[at], text_begin_[at + 1] - text_begin_[at]);
}

void TokenTrie::read(const Tokenizer& tokenizer) {
  text_begin_.push_back(0);
  for (std::int32_t id = 0; id < vocab_size_; ++id) {
    const bool ends = std::find(ends_.begin(), ends_.end(), id) != ends_.end();
    const std::string_view bytes = ends || tokenizer.is_special(id) ? std::string_view() : tokenizer.id_to_bytes(id);
    if (bytes.size() <= kLongestToken) text_ += bytes;
    text_begin_.push_back(text_.size());
  }
}

void TokenTrie::build() {
  std::vector<std::pair<std::string_view, std::int32_t>> tokens;
  for (std::int32_t id = 0; id < vocab_size_; ++id) {
    if (!bytes(id).empty()) tokens.emplace_back(bytes(id), id);
  }
  std::sort(tokens.begin(), tokens.end());
  std::vector<std::size_t> open;  // the nodes on the way to the last one
  std::string_view before;
  for (const auto& [token, id] : tokens) {
    if (token == before) {
      twins_.push_back({nodes_.back().id, id});
    } else {
      grow(id, common_prefix(before, token), open);
    }
    before = token;
  }
  for (const std::size_t node : open) nodes_[node].end = static_cast<std::int32_t>(nodes_.size());
}

/// Adds the nodes of a token that shares so many bytes with the last one.
void TokenTrie::grow(std::int32_t id, std::size_t shared, std::vector<std::size_t>& open) {
  const std::string_view token = bytes(id);
  for (; open.size() > shared; open.pop_back()) nodes_[open.back()].end = static_cast<std::int32_t>(nodes_.size());
  for (std::size_t depth = shared; depth < token.size(); ++depth) {
    open.push_back(nodes_.size());
    nodes_.push_back({.id = vocab_size_,
                      .depth = static_cast<std::uint16_t>(depth + 1),
                      .byte = static_cast<std::uint8_t>(token[depth])});
  }
  nodes_.back().id = id;
  longest_ = std::max(longest_, token.size());
}

}  // namespace hone
