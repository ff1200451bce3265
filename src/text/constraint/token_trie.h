#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace hone {

/// The byte strings of a vocabulary as a tree, in the order of a walk through it. Special tokens and tokens without
/// bytes are not in it. Immutable; made once a tokenizer and shared by its constraints.
class TokenTrie {
 public:
  /// One byte behind the last node before it that is one level up.
  struct Node {
    std::int32_t end = 0;     ///< node behind this one's subtree
    std::int32_t id = 0;      ///< of the token that ends here; vocab_size: none does
    std::uint16_t depth = 0;  ///< bytes to here, from 1
    std::uint8_t byte = 0;
  };
  /// Tokens of the same bytes: the first one is in the tree.
  struct Twins {
    std::int32_t first = 0;
    std::int32_t second = 0;
  };

  /// Reads the tokenizer, which need not outlive the result. `ends` are the ids that end a completion; empty: the
  /// tokenizer's end of sequence. Error{config} for an end outside the vocabulary.
  static std::shared_ptr<const TokenTrie> of(const Tokenizer& tokenizer, std::vector<std::int32_t> ends = {});

  std::int32_t vocab_size() const { return vocab_size_; }
  const std::vector<std::int32_t>& ends() const { return ends_; }
  std::span<const Node> nodes() const { return nodes_; }
  std::span<const Twins> twins() const { return twins_; }
  std::size_t longest() const { return longest_; }
  /// The bytes of a token that spells text, else empty.
  std::string_view bytes(std::int32_t id) const;

 private:
  void read(const Tokenizer& tokenizer);
  void build();
  void grow(std::int32_t id, std::size_t shared, std::vector<std::size_t>& open);

  std::int32_t vocab_size_ = 0;
  std::vector<std::int32_t> ends_;
  std::vector<Node> nodes_;
  std::vector<Twins> twins_;
  std::size_t longest_ = 0;
  std::string text_;  ///< of all tokens, one behind the other
  std::vector<std::size_t> text_begin_;
};

}  // namespace hone
