#include "kernels/dropout/dropout_cpu.h"

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

namespace {

constexpr int64_t blocks = 16;  // Philox blocks computed side by side, so that the compiler uses vectors

struct Words {
  uint32_t word[4][blocks];
};

/// The words of blocks first … first + 15: Philox4x32-10 with counter (block, block >> 32, 0, 0), as base/random.h.
Words philox(uint64_t first, uint64_t key) {
  Words c;
  for (int64_t b = 0; b < blocks; ++b) {
    const uint64_t block = first + static_cast<uint64_t>(b);
    c.word[0][b] = static_cast<uint32_t>(block);
    c.word[1][b] = static_cast<uint32_t>(block >> 32);
    c.word[2][b] = 0;
    c.word[3][b] = 0;
  }
  uint32_t key0 = static_cast<uint32_t>(key);
  uint32_t key1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int64_t b = 0; b < blocks; ++b) {
      const uint64_t product0 = 0xD2511F53ULL * c.word[0][b];
      const uint64_t product1 = 0xCD9E8D57ULL * c.word[2][b];
      c.word[0][b] = static_cast<uint32_t>(product1 >> 32) ^ c.word[1][b] ^ key0;
      c.word[1][b] = static_cast<uint32_t>(product1);
      c.word[2][b] = static_cast<uint32_t>(product0 >> 32) ^ c.word[3][b] ^ key1;
      c.word[3][b] = static_cast<uint32_t>(product0);
    }
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return c;
}

}  // namespace

void dropout_range(const float* x, int64_t block, int64_t count, uint64_t key, uint32_t threshold, float scale,
                   float* out) {
  for (int64_t done = 0; done < count; done += 4 * blocks) {
    const Words random = philox(static_cast<uint64_t>(block + done / 4), key);
    float factor[4 * blocks];
    for (int64_t b = 0; b < blocks; ++b) {
      for (int64_t w = 0; w < 4; ++w) factor[4 * b + w] = random.word[w][b] >= threshold ? scale : 0.0F;
    }
    const int64_t left = count - done < 4 * blocks ? count - done : 4 * blocks;
    // A dropped element is 0 whatever it was, also when it was not finite.
    for (int64_t i = 0; i < left; ++i) out[done + i] = factor[i] == 0.0F ? 0.0F : x[done + i] * factor[i];
  }
}

}  // namespace hone::kernels::HONE_ISA
