#pragma once

// doctest for files that also see LibTorch, whose logging header defines CHECK and its relatives. Include this instead
// of <doctest/doctest.h>; both sets of macros have the same names, and tests want doctest's.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#undef CHECK
#undef CHECK_EQ
#undef CHECK_NE
#undef CHECK_GT
#undef CHECK_GE
#undef CHECK_LT
#undef CHECK_LE
#undef CHECK_NOTNULL
#undef CHECK_OP
#undef WARN
#undef INFO
#undef FAIL

#include <doctest/doctest.h>
