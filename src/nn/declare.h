#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/layers.h"
#include "nn/parameter_store.h"

/// What policies declare in the store: segments with the usual initial values and Hugging Face names.
namespace hone {

/// A matrix whose rows are those of the parts, one after the other; normal with `deviation`.
Parameter declare_matrix(ParameterStore& store, const std::string& name, std::vector<SegmentPart> parts,
                         std::int64_t columns, double deviation, SegmentRole role = SegmentRole::trunk);

/// A table whose rows ids pick. `multiplies`: it is the matrix of a linear layer too (a tied LM head).
Parameter declare_table(ParameterStore& store, const std::string& name, const std::string& hf_name, std::int64_t rows,
                        std::int64_t columns, double deviation, bool multiplies = false);

/// Zeros.
Parameter declare_bias(ParameterStore& store, const std::string& name, std::vector<SegmentPart> parts,
                       SegmentRole role = SegmentRole::trunk);

/// `<hf_module>.weight`, such that weight + weight_offset starts at one.
Norm declare_rms_norm(ParameterStore& store, const std::string& name, const std::string& hf_module, std::int64_t size,
                      double eps, double weight_offset = 0);

/// `<hf_module>.weight` of ones and, unless without, `<hf_module>.bias` of zeros.
Norm declare_layer_norm(ParameterStore& store, const std::string& name, const std::string& hf_module,
                        std::int64_t size, double eps, bool with_bias = true, SegmentRole role = SegmentRole::trunk);

}  // namespace hone
