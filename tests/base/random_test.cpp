#include "base/random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

using hone::Random;

using Words = std::array<std::uint32_t, 4>;

TEST_CASE("base/random: philox gives the published vectors") {
  CHECK(hone::philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint32_t ones = 0xffffffff;
  CHECK(hone::philox({ones, ones, ones, ones}, {ones, ones}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(hone::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("base/random: a stream depends on its address only") {
  Random first(7, 3, 2), again(7, 3, 2);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 100; ++i) CHECK(first.next64() == again.next64());
  for (const std::uint64_t a : {0ULL, 1ULL, 1ULL << 32}) {
    for (const std::uint32_t b : {0U, 1U}) seen.insert(Random(7, a, b).next64());
  }
  CHECK(seen.size() == 6);
  CHECK(hone::stream_key(1, "sample") == hone::stream_key(1, "sample"));
  CHECK(hone::stream_key(1, "sample") != hone::stream_key(2, "sample"));
  CHECK(hone::stream_key(1, "sample") != hone::stream_key(1, "dropout"));
}

TEST_CASE("base/random: uniform and normal have the moments of their distributions") {
  Random random(11);
  const int count = 100000;
  double sum = 0, normal_sum = 0, normal_squares = 0;
  for (int i = 0; i < count; ++i) {
    const double uniform = random.uniform();
    REQUIRE(uniform >= 0.0);
    REQUIRE(uniform < 1.0);
    sum += uniform;
    const double normal = random.normal();
    REQUIRE(std::isfinite(normal));
    normal_sum += normal;
    normal_squares += normal * normal;
  }
  CHECK(sum / count == doctest::Approx(0.5).epsilon(0.01));
  CHECK(std::abs(normal_sum / count) < 0.015);
  CHECK(normal_squares / count == doctest::Approx(1.0).epsilon(0.02));
}

TEST_CASE("base/random: below is unbiased and stays below its bound") {
  Random random(5);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60000; ++i) ++counts[random.below(6)];
  for (const int count : counts) CHECK(std::abs(count - 10000) < 400);
  CHECK(random.below(1) == 0);
  const std::uint64_t large = (1ULL << 63) + 1;
  for (int i = 0; i < 100; ++i) CHECK(random.below(large) < large);
}

TEST_CASE("base/random: shuffle permutes and depends on the stream") {
  std::vector<int> items(100);
  std::iota(items.begin(), items.end(), 0);
  auto first = items, second = items;
  Random(1).shuffle(first);
  Random(2).shuffle(second);
  CHECK(first != items);
  CHECK(first != second);
  CHECK(std::is_permutation(first.begin(), first.end(), items.begin()));
}

TEST_CASE("base/random: uniform_at is a pure function of its address") {
  CHECK(hone::uniform_at(1, 2, 3, 4) == hone::uniform_at(1, 2, 3, 4));
  const std::set<double> values = {hone::uniform_at(1, 2, 3, 4), hone::uniform_at(2, 2, 3, 4),
                                   hone::uniform_at(1, 3, 3, 4), hone::uniform_at(1, 2, 4, 4),
                                   hone::uniform_at(1, 2, 3, 5)};
  CHECK(values.size() == 5);
}
