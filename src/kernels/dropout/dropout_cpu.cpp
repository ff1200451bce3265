#include "kernels/dropout/dropout_cpu.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif
#include <string.h>

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

namespace {

// Philox works on 32-bit words kept in 64-bit lanes: the product of two words fills a lane. Upper halves may hold
// anything, since products read the lower halves alone.
typedef uint64_t Longs __attribute__((vector_size(HONE_VECTOR_BYTES)));

constexpr int64_t lanes = HONE_VECTOR_BYTES / 8;  // Philox blocks in a vector
constexpr int64_t sets = 2;                       // vectors side by side, to hide the latency of products
constexpr int64_t blocks = sets * lanes;

Longs product(Longs a, Longs b) {
#if defined(__AVX512F__)  // the masked form: GCC 12 warns about the operand that the plain one leaves undefined
  return reinterpret_cast<Longs>(
      _mm512_maskz_mul_epu32(static_cast<__mmask8>(-1), reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<Longs>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#else
  return (a & 0xFFFFFFFFULL) * (b & 0xFFFFFFFFULL);
#endif
}

/// The four words of blocks first, first + 1, …: Philox4x32-10 with counter (block, block >> 32, 0, 0), as
/// base/random.h.
void philox(uint64_t first, uint64_t key, uint32_t* words) {
  Longs c[sets][4];
  for (int64_t s = 0; s < sets; ++s) {
    Longs block = {};
    for (int64_t i = 0; i < lanes; ++i) block[i] = first + static_cast<uint64_t>(s * lanes + i);
    c[s][0] = block;
    c[s][1] = block >> 32;
    c[s][2] = Longs{};
    c[s][3] = Longs{};
  }
  const Longs multiplier0 = Longs{} + 0xD2511F53ULL;
  const Longs multiplier1 = Longs{} + 0xCD9E8D57ULL;
  uint32_t key0 = static_cast<uint32_t>(key);
  uint32_t key1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int64_t s = 0; s < sets; ++s) {
      const Longs product0 = product(multiplier0, c[s][0]);
      const Longs product1 = product(multiplier1, c[s][2]);
      c[s][0] = (product1 >> 32) ^ c[s][1] ^ static_cast<uint64_t>(key0);
      c[s][1] = product1;
      c[s][2] = (product0 >> 32) ^ c[s][3] ^ static_cast<uint64_t>(key1);
      c[s][3] = product0;
    }
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  for (int64_t s = 0; s < sets; ++s) {
    const Longs low = (c[s][0] & 0xFFFFFFFFULL) | c[s][1] << 32;
    const Longs high = (c[s][2] & 0xFFFFFFFFULL) | c[s][3] << 32;
    for (int64_t i = 0; i < lanes; ++i) {
      const uint64_t block[2] = {low[i], high[i]};
      memcpy(words + 4 * (s * lanes + i), block, sizeof(block));
    }
  }
}

}  // namespace

void dropout_range(const float* x, int64_t block, int64_t count, uint64_t key, uint32_t threshold, float scale,
                   float* out) {
  for (int64_t done = 0; done < count; done += 4 * blocks) {
    uint32_t word[4 * blocks];
    philox(static_cast<uint64_t>(block + done / 4), key, word);
    const int64_t left = count - done < 4 * blocks ? count - done : 4 * blocks;
    const float* from = x + done;
    float* to = out + done;
    // A dropped element is 0 whatever it was, also when it was not finite.
    if (left == 4 * blocks) {
      for (int64_t i = 0; i < 4 * blocks; ++i) to[i] = word[i] >= threshold ? from[i] * scale : 0.0F;
    } else {
      for (int64_t i = 0; i < left; ++i) to[i] = word[i] >= threshold ? from[i] * scale : 0.0F;
    }
  }
}

}  // namespace hone::kernels::HONE_ISA
