#pragma once

#include "io/gguf.h"
#include "io/tensor_view.h"

#include <span>
#include <string>
#include <string_view>

namespace hone {

/// What the names of tensors and the order of their values depend on.
struct GgufLayout {
  std::string model_type;  ///< Hugging Face's: "llama", "gemma2" …
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t experts = 0;
  bool tied = false;  ///< the output matrix is the embedding
};

/// Whether the families below know this model_type.
bool gguf_knows(std::string_view model_type);

/// The model's tensors under llama.cpp's names, in the order of the layers: rows of q and k permuted where llama.cpp
/// rotates neighbouring pairs, Gemma's norms raised by one, GPT-2's matrices transposed, experts stacked. Matrices
/// get `type`, or f16 when that is q8_0 and a row is no multiple of 32; vectors, norms and routers stay f32. The
/// result refers to `tensors`. Error{data} for a tensor that is missing, of an impossible shape, or that has no
/// place.
std::vector<GgufTensor> gguf_tensors(std::span<const TensorView> tensors, const GgufLayout& layout, GgufType type);

}  // namespace hone
