#pragma once
// The one precompiled header of every target that touches tensors.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
