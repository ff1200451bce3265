#include "envs/permutation.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

namespace hone {

TEST_CASE("envs: a permutation visits every element once, whatever the size") {
  for (const std::uint64_t size : {1, 2, 3, 4, 5, 16, 17, 100, 4095, 4096, 4097, 10000}) {
    const Permutation permutation(42, size);
    std::vector<bool> seen(size, false);
    for (std::uint64_t i = 0; i < size; ++i) {
      const std::uint64_t image = permutation(i);
      REQUIRE(image < size);
      CHECK_FALSE(seen[image]);
      seen[image] = true;
    }
  }
}

TEST_CASE("envs: permutations of different keys differ and leave little in place") {
  const Permutation first(1, 10000), second(2, 10000);
  int equal = 0, fixed = 0, ascending = 0;
  for (std::uint64_t i = 0; i < 10000; ++i) {
    equal += first(i) == second(i);
    fixed += first(i) == i;
    ascending += i > 0 && first(i) > first(i - 1);
  }
  CHECK(equal < 10);  // expected: 1
  CHECK(fixed < 10);
  CHECK(ascending > 4800);  // expected: 5,000 ± 29
  CHECK(ascending < 5200);
}

TEST_CASE("envs: a permutation of a huge range stays in the range") {
  const std::uint64_t size = 1'999'999'999'999'999'999ULL;
  const Permutation permutation(7, size);
  for (std::uint64_t i = 0; i < 1000; ++i) CHECK(permutation(size - 1 - i) < size);
}

}  // namespace hone
