#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace hone {

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): a bijection of a 128-bit
/// counter under a 64-bit key. The same (key, counter) gives the same four words on every machine.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// Key of a named purpose within a run: streams of different purposes never overlap.
std::uint64_t stream_key(std::uint64_t seed, std::string_view purpose);

/// A random stream addressed by what it is for, not by what was drawn before: (key, a, b) fix the whole sequence.
/// Cheap to make, so make one for each use: `Random(stream_key(seed, "sample"), prompt_id, sample)`.
class Random {
 public:
  explicit Random(std::uint64_t key, std::uint64_t a = 0, std::uint32_t b = 0);

  std::uint32_t next();
  std::uint64_t next64();
  /// Uniform in [0, 1) with 53 random bits.
  double uniform();
  /// Uniform in [0, bound), without modulo bias. bound ≥ 1.
  std::uint64_t below(std::uint64_t bound);
  /// Standard normal (Box-Muller, one value a call).
  double normal();
  /// Fisher-Yates over anything with size() and operator[].
  template <class Items>
  void shuffle(Items& items) {
    for (std::uint64_t i = items.size(); i > 1; --i) {
      using std::swap;
      swap(items[i - 1], items[below(i)]);
    }
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

/// One uniform in [0, 1) for a single address: the stateless form used by the sampler and by dropout.
double uniform_at(std::uint64_t key, std::uint64_t a, std::uint32_t b, std::uint32_t c);

}  // namespace hone
