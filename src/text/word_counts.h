#pragma once

#include "text/byte_map.h"

#include <cstddef>

namespace hone {

/// Counts words (short strings of bytes) by hashing; each is kept once.
class WordCounts {
 public:
  struct Word {
    std::size_t begin = 0;  ///< in `bytes()`
    std::uint32_t size = 0;
    std::uint32_t tag = 0;
    std::int64_t count = 0;
  };

  void add(std::string_view word) {
    if (2 * words_.size() >= slots_.size()) grow();
    const std::uint64_t hash = hash_bytes(word);
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    std::size_t at = tag & (slots_.size() - 1);
    for (; slots_[at] >= 0; at = (at + 1) & (slots_.size() - 1)) {
      Word& known = words_[static_cast<std::size_t>(slots_[at])];
      if (known.tag == tag && text(known) == word) {
        ++known.count;
        return;
      }
    }
    slots_[at] = static_cast<std::int32_t>(words_.size());
    words_.push_back({bytes_.size(), static_cast<std::uint32_t>(word.size()), tag, 1});
    bytes_ += word;
  }

  /// In the order of their first appearance.
  const std::vector<Word>& words() const { return words_; }
  std::string_view text(const Word& word) const { return std::string_view(bytes_).substr(word.begin, word.size); }

 private:
  void grow() {
    slots_.assign(slots_.empty() ? 1024 : 2 * slots_.size(), -1);
    for (std::size_t i = 0; i < words_.size(); ++i) {
      std::size_t at = words_[i].tag & (slots_.size() - 1);
      while (slots_[at] >= 0) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = static_cast<std::int32_t>(i);
    }
  }

  std::string bytes_;
  std::vector<Word> words_;
  std::vector<std::int32_t> slots_;
};

}  // namespace hone
