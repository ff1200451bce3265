#pragma once

#include <cstdint>

namespace hone {

/// What a language model thinks of a text; sums over texts by +=.
struct Likelihood {
  double negative_log = 0;  ///< in nats, summed over tokens
  std::int64_t tokens = 0;
  std::int64_t bytes = 0;

  Likelihood& operator+=(const Likelihood& other);
  /// Mean over tokens; 0 without tokens, as all below.
  double loss() const;
  double perplexity() const;
  /// Independent of the tokenizer.
  double bits_per_byte() const;
};

}  // namespace hone
