#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace hone {

/// How often each n-gram occurs.
template <class Key>
using NgramCounts = std::unordered_map<Key, std::int64_t>;

/// The n-grams of `words`, in their order; words are joined by line ends.
inline std::vector<std::string> word_ngrams(const std::vector<std::string>& words, std::size_t n) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i + n <= words.size(); ++i) {
    std::string key;
    for (std::size_t j = i; j < i + n; ++j) key.append(words[j]).push_back('\n');
    keys.push_back(std::move(key));
  }
  return keys;
}

inline NgramCounts<std::string> count_word_ngrams(const std::vector<std::string>& words, std::size_t n) {
  NgramCounts<std::string> counts;
  for (std::string& key : word_ngrams(words, n)) ++counts[std::move(key)];
  return counts;
}

/// Σ min of the counts in both.
template <class Key>
std::int64_t common_count(const NgramCounts<Key>& a, const NgramCounts<Key>& b) {
  std::int64_t common = 0;
  for (const auto& [ngram, count] : a) {
    const auto found = b.find(ngram);
    if (found != b.end()) common += std::min(count, found->second);
  }
  return common;
}

/// How many n-grams a sequence of `length` has.
inline std::int64_t ngram_total(std::size_t length, std::size_t n) {
  return length < n ? 0 : static_cast<std::int64_t>(length - n + 1);
}

}  // namespace hone
