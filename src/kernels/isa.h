#pragma once

/// Every `*_cpu.cpp` in src/kernels is compiled once for each instruction set, with HONE_ISA naming the namespace its
/// functions live in (portable, avx2, avx512). Such a file includes nothing but the standard C headers and intrinsics
/// and keeps every helper `static`: an inline function shared with other files could be merged by the linker into code
/// that an older CPU cannot run. `op.cpp` picks the variant once, through HONE_SELECT.
///
///     // norm_cpu.h                                              // norm.cpp
///     HONE_DECLARE_KERNEL(void, rms_norm, (const float* x, …))   HONE_SELECT(rms_norm)(x, …);
#define HONE_DECLARE_KERNEL(result, name, parameters) \
  namespace hone::kernels::portable {                 \
  result name parameters;                             \
  }                                                   \
  namespace hone::kernels::avx2 {                     \
  result name parameters;                             \
  }                                                   \
  namespace hone::kernels::avx512 {                   \
  result name parameters;                             \
  }

#define HONE_SELECT(name) \
  ::hone::kernels::select(::hone::kernels::portable::name, ::hone::kernels::avx2::name, ::hone::kernels::avx512::name)

namespace hone::kernels {

enum class Isa { portable, avx2, avx512 };

/// The widest set that this CPU and operating system run; HONE_MAX_ISA=portable|avx2|avx512 in the environment lowers it.
Isa isa();
/// avx512 with bfloat16 dot products.
bool has_bfloat16();
/// avx512 with dot products of bytes.
bool has_int8_dot();
const char* isa_name();

template <class Function>
Function* select(Function* portable, Function* avx2, Function* avx512) {
  switch (isa()) {
    case Isa::avx512: return avx512;
    case Isa::avx2: return avx2;
    case Isa::portable: break;
  }
  return portable;
}

}  // namespace hone::kernels
