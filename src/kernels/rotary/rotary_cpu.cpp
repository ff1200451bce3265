#include "kernels/rotary/rotary_cpu.h"

#include <math.h>
#include <string.h>

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

namespace {

Floats load(const float* from, int64_t count) {
  return count == vector_lanes ? load_floats(from) : load_some(from, count, 0.0F);
}

void store(float* to, Floats value, int64_t count) {
  if (count == vector_lanes) {
    store_floats(to, value);
  } else {
    store_some(to, value, count);
  }
}

/// Calls body(offset, count) on consecutive vectors of [0, width); the last may be shorter.
template <class Body>
void over_vectors(int64_t width, const Body& body) {
  int64_t i = 0;
  for (; i + vector_lanes <= width; i += vector_lanes) body(i, vector_lanes);
  if (i < width) body(i, width - i);
}

float sum_of_products(const float* a, const float* b, int64_t width) {
  Floats sum = {};
  over_vectors(width, [&](int64_t i, int64_t count) { sum += load(a + i, count) * load(b + i, count); });
  return sum_lanes(sum);
}

/// Rotates pairs (i, i + half) by the angles of the table row; `direction` -1 rotates back.
void rotate(const float* from, const float* table, int64_t half, float direction, float* to) {
  over_vectors(half, [&](int64_t i, int64_t count) {
    const Floats first = load(from + i, count);
    const Floats second = load(from + half + i, count);
    const Floats cosine = load(table + i, count);
    const Floats sine = load(table + half + i, count) * direction;
    store(to + i, first * cosine - second * sine, count);
    store(to + half + i, second * cosine + first * sine, count);
  });
}

/// Rotates what the table covers of a head; the rest of it is copied.
void rotate_head(const RotaryArguments& arguments, const float* from, const float* table, float direction, float* to) {
  const int64_t rest = arguments.head_dim - 2 * arguments.half;
  rotate(from, table, arguments.half, direction, to);
  if (rest > 0 && from != to) {
    memcpy(to + 2 * arguments.half, from + 2 * arguments.half, static_cast<size_t>(rest) * sizeof(float));
  }
}

/// Normed head, then rotated in place (each pair is read before it is written).
float norm_and_rotate(const RotaryArguments& arguments, const float* head, const float* weight, const float* table,
                      float* to) {
  const int64_t head_dim = arguments.head_dim;
  const float offset = arguments.weight_offset;
  const float mean = sum_of_products(head, head, head_dim) / static_cast<float>(head_dim);
  const float rstd = 1.0F / sqrtf(mean + arguments.eps);
  over_vectors(head_dim, [&](int64_t i, int64_t count) {
    store(to + i, load(head + i, count) * rstd * (load(weight + i, count) + offset), count);
  });
  rotate_head(arguments, to, table, 1.0F, to);
  return rstd;
}

/// Turns the gradient `grad` of a normed head into that of the head, in place, and adds to dweight unless it is null.
void norm_backward(const RotaryArguments& arguments, const float* head, const float* weight, float rstd, float* grad,
                   float* dweight) {
  const int64_t head_dim = arguments.head_dim;
  const float offset = arguments.weight_offset;
  Floats products = {};
  over_vectors(head_dim, [&](int64_t i, int64_t count) {
    products += load(grad + i, count) * (load(weight + i, count) + offset) * load(head + i, count);
  });
  const float shared = sum_lanes(products) * rstd * rstd * rstd / static_cast<float>(head_dim);
  over_vectors(head_dim, [&](int64_t i, int64_t count) {
    const Floats g = load(grad + i, count);
    const Floats x = load(head + i, count);
    if (dweight != nullptr) store(dweight + i, load(dweight + i, count) + g * x * rstd, count);
    store(grad + i, g * (load(weight + i, count) + offset) * rstd - x * shared, count);
  });
}

}  // namespace

void rotary_rows(const RotaryArguments& arguments, const float* qkv, int64_t begin, int64_t end, float* out,
                 float* rstd) {
  const int64_t head_dim = arguments.head_dim;
  const int64_t rotated = arguments.heads + arguments.kv_heads;
  const int64_t width = (rotated + arguments.kv_heads) * head_dim;
  for (int64_t t = begin; t < end; ++t) {
    const float* table = arguments.table + arguments.position[t] * 2 * arguments.half;
    for (int64_t h = 0; h < rotated; ++h) {
      const float* head = qkv + t * width + h * head_dim;
      float* to = out + t * width + h * head_dim;
      const float* weight = h < arguments.heads ? arguments.query_weight : arguments.key_weight;
      if (weight == nullptr) {
        rotate_head(arguments, head, table, 1.0F, to);
      } else {
        rstd[t * rotated + h] = norm_and_rotate(arguments, head, weight, table, to);
      }
    }
    const int64_t values = t * width + rotated * head_dim;
    memcpy(out + values, qkv + values, static_cast<size_t>(arguments.kv_heads * head_dim) * sizeof(float));
  }
}

void rotary_backward_rows(const RotaryArguments& arguments, const float* dout, const float* qkv, const float* rstd,
                          int64_t begin, int64_t end, float* dqkv, float* dweight) {
  const int64_t head_dim = arguments.head_dim;
  const int64_t rotated = arguments.heads + arguments.kv_heads;
  const int64_t width = (rotated + arguments.kv_heads) * head_dim;
  for (int64_t t = begin; t < end; ++t) {
    const float* table = arguments.table + arguments.position[t] * 2 * arguments.half;
    for (int64_t h = 0; h < rotated; ++h) {
      const int64_t offset = t * width + h * head_dim;
      const bool is_query = h < arguments.heads;
      const float* weight = is_query ? arguments.query_weight : arguments.key_weight;
      rotate_head(arguments, dout + offset, table, -1.0F, dqkv + offset);
      if (weight == nullptr) continue;
      float* into = dweight == nullptr || is_query ? dweight : dweight + head_dim;
      norm_backward(arguments, qkv + offset, weight, rstd[t * rotated + h], dqkv + offset, into);
    }
    const int64_t values = t * width + rotated * head_dim;
    memcpy(dqkv + values, dout + values, static_cast<size_t>(arguments.kv_heads * head_dim) * sizeof(float));
  }
}

}  // namespace hone::kernels::HONE_ISA
