#include "base/memory.h"

#include <doctest/doctest.h>

#include <vector>

using namespace hone;

TEST_CASE("base: memory that is written is held") {
  constexpr std::int64_t size = 64 << 20;
  const std::int64_t before = held_memory();
  REQUIRE(before > 0);
  const std::vector<char> block(size, 1);
  CHECK(held_memory() - before >= size);
  CHECK(held_memory() - before < 2 * size);
  CHECK(block.back() == 1);
}

TEST_CASE("base: memory that is free is some, and no more than a machine has") {
  CHECK(available_memory() > (1 << 20));
  CHECK(available_memory() < (std::int64_t{1} << 50));
}
