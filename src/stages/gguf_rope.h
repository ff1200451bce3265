#pragma once

#include "stages/gguf_config.h"

namespace hone {

/// Tables of factors that llama.cpp reads as tensors.
struct GgufFactors {
  std::string name;  ///< "rope_freqs.weight"
  std::vector<float> values;
};

/// Reads the rotary embedding of config.json (`rope_parameters`, or `rope_theta` and `rope_scaling` as older files
/// have them), puts the keys under `<architecture>.rope.`, and returns the tables. `head` is the size of a head,
/// `context` what max_position_embeddings says, `usual_theta` the base when the file gives none. Scalings: linear,
/// yarn, llama3, longrope; others are refused by name.
std::vector<GgufFactors> put_rope(GgufConfig& config, std::int64_t head, std::int64_t context, double usual_theta);

}  // namespace hone
