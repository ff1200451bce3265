#ifndef HONE_TORCH_PCH_H
#define HONE_TORCH_PCH_H
// The one precompiled header of every target that touches tensors. A guard and not #pragma once: GCC warns about the
// pragma in a header that is compiled by itself.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#endif
