#pragma once

namespace hone::kernels {

/// Names as in Hugging Face's configurations, where gelu is exact (through erf) and gelu_tanh is also called gelu_new and
/// gelu_pytorch_tanh (Hendrycks and Gimpel 2016, section 2).
enum class Activation { silu, gelu, gelu_tanh, relu, tanh };

}  // namespace hone::kernels
