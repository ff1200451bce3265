#include "kernels/isa.h"

#undef CHECK
#include <doctest/doctest.h>

#include <string_view>

using namespace hone::kernels;

namespace {
int portable_function() { return 0; }
int avx2_function() { return 1; }
int avx512_function() { return 2; }
}  // namespace

TEST_CASE("kernels: the chosen instruction set is named, stays the same and picks its variant") {
  CHECK(isa() == isa());
  CHECK(select(portable_function, avx2_function, avx512_function)() == static_cast<int>(isa()));
  const std::string_view name = isa_name();
  const std::string_view expected[] = {"portable", "avx2", "avx512"};
  CHECK(name.substr(0, expected[static_cast<int>(isa())].size()) == expected[static_cast<int>(isa())]);
  if (has_bfloat16()) CHECK(isa() == Isa::avx512);
}
