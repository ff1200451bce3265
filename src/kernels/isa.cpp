#include "kernels/isa.h"

#include <cstdlib>
#include <string_view>

#include "base/error.h"

namespace hone::kernels {

namespace {

Isa widest() {
  if (__builtin_cpu_supports("x86-64-v4")) return Isa::avx512;
  if (__builtin_cpu_supports("x86-64-v3")) return Isa::avx2;
  return Isa::portable;
}

const char* name_of(Isa isa) {
  switch (isa) {
    case Isa::avx512: return "avx512";
    case Isa::avx2: return "avx2";
    case Isa::portable: break;
  }
  return "portable";
}

Isa chosen() {
  __builtin_cpu_init();
  const Isa best = widest();
  const char* limit = std::getenv("HONE_MAX_ISA");
  if (limit == nullptr || *limit == '\0') return best;
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    if (std::string_view(limit) == name_of(isa)) return isa < best ? isa : best;
  }
  fail(ErrorKind::usage, "HONE_MAX_ISA: expected portable, avx2 or avx512, got '{}'. Unset it to use all the CPU has.",
       limit);
}

}  // namespace

Isa isa() {
  static const Isa value = chosen();
  return value;
}

bool has_bfloat16() {
  static const bool value = isa() == Isa::avx512 && __builtin_cpu_supports("avx512bf16");
  return value;
}

bool has_int8_dot() {
  static const bool value = isa() == Isa::avx512 && __builtin_cpu_supports("avx512vnni");
  return value;
}

const char* isa_name() { return has_bfloat16() ? "avx512 with bfloat16" : name_of(isa()); }

}  // namespace hone::kernels
