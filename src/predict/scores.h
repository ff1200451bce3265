#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace hone {

/// exp(x - max) / sum. Not empty; Error{data} for NaN.
std::vector<float> softmax(std::span<const float> logits);
/// 1 / (1 + exp(-x)), each. Error{data} for NaN.
std::vector<float> sigmoid(std::span<const float> logits);

/// Places of the `count` greatest values (0: of all), greatest first, of equals the first one.
std::vector<std::size_t> greatest(std::span<const float> values, std::size_t count);

}  // namespace hone
