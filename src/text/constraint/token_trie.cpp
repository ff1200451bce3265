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
      fail(ErrorKind::config, "the end-of-sequence id {} lies outside the vocabulary of {} tokens", end, trie->vocab_size_);
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
    if (text_.size() > text_begin_[text_begin_.size() - 2]) ids_.push_back(id);
  }
}

void TokenTrie::build() {
  std::vector<std::string_view> views(static_cast<std::size_t>(vocab_size_));
  for (const std::int32_t id : ids_) views[static_cast<std::size_t>(id)] = bytes(id);
  std::stable_sort(ids_.begin(), ids_.end(), [&](std::int32_t a, std::int32_t b) {
    return views[static_cast<std::size_t>(a)] < views[static_cast<std::size_t>(b)];
  });
  std::vector<std::size_t> open;  // the nodes on the way to the last one
  std::string_view before;
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    const std::string_view token = views[static_cast<std::size_t>(ids_[i])];
    const std::size_t shared = common_prefix(before, token);
    for (; open.size() > shared; open.pop_back()) nodes_[open.back()].end = static_cast<std::int32_t>(nodes_.size());
    for (std::size_t depth = shared; depth < token.size(); ++depth) {
      open.push_back(nodes_.size());
      nodes_.push_back({.first_id = static_cast<std::int32_t>(i), .depth = static_cast<std::uint16_t>(depth + 1),
                        .byte = static_cast<std::uint8_t>(token[depth])});
    }
    longest_ = std::max(longest_, token.size());
    before = token;
  }
  for (; !open.empty(); open.pop_back()) nodes_[open.back()].end = static_cast<std::int32_t>(nodes_.size());
  nodes_.push_back({.end = static_cast<std::int32_t>(nodes_.size()) + 1,
                    .first_id = static_cast<std::int32_t>(ids_.size())});
}

}  // namespace hone
