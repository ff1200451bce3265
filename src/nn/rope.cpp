#include "nn/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "kernels/rotary/rotary.h"

namespace hone {

namespace {

// Checkpoints were trained with the float32 rounding of these very operations, so they are ATen's, in this order.

/// theta^(2i/dim).
at::Tensor powers(double theta, std::int64_t dim) {
  const at::Tensor exponent = at::arange(0, dim, 2, at::kLong).to(at::kFloat) / static_cast<double>(dim);
  return at::pow(at::Scalar(theta), exponent);
}

/// The dimension whose wave turns `rotations` times within the original context.
double correction_dim(const RopeScaling& rope, double rotations, std::int64_t dim) {
  const double turns = static_cast<double>(rope.original_positions) / (rotations * 2 * std::numbers::pi);
  return static_cast<double>(dim) * std::log(turns) / (2 * std::log(rope.theta));
}

at::Tensor yarn(const RopeScaling& rope, std::int64_t dim) {
  const at::Tensor power = powers(rope.theta, dim);
  const at::Tensor extrapolation = at::reciprocal(power);
  const at::Tensor interpolation = at::reciprocal(power * rope.factor);
  double low = correction_dim(rope, rope.beta_fast, dim);
  double high = correction_dim(rope, rope.beta_slow, dim);
  if (rope.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(dim - 1));
  if (low == high) high += 0.001;
  const at::Tensor ramp = ((at::arange(dim / 2, at::kFloat) - low) / (high - low)).clamp(0, 1);
  const at::Tensor kept = at::rsub(ramp, 1);
  return interpolation * at::rsub(kept, 1) + extrapolation * kept;
}

at::Tensor llama3(const RopeScaling& rope, std::int64_t dim) {
  const at::Tensor plain = at::reciprocal(powers(rope.theta, dim));
  const auto original = static_cast<double>(rope.original_positions);
  const double low = rope.low_frequency_factor;
  const double high = rope.high_frequency_factor;
  const at::Tensor wave = at::reciprocal(plain) * (2 * std::numbers::pi);
  const at::Tensor is_long = wave > original / low;
  const at::Tensor divided = at::where(is_long, plain / rope.factor, plain);
  const at::Tensor smooth = (at::reciprocal(wave) * original - low) / (high - low);
  const at::Tensor smoothed = at::rsub(smooth, 1) * divided / rope.factor + smooth * divided;
  const at::Tensor is_medium = at::logical_not(wave < original / high) * at::logical_not(is_long);
  return at::where(is_medium, smoothed, divided);
}

at::Tensor longrope(const RopeScaling& rope, std::int64_t dim, std::int64_t length) {
  const bool is_long = length > rope.original_positions;
  const std::vector<double>& factors = is_long ? rope.long_factor : rope.short_factor;
  if (static_cast<std::int64_t>(factors.size()) != dim / 2) {
    fail(ErrorKind::data,
         "config.json: {} of the rotary embedding has {} numbers, expected {}: one for each of the {} rotated "
         "dimensions of a head, halved",
         is_long ? "long_factor" : "short_factor", factors.size(), dim / 2, dim);
  }
  return at::reciprocal(at::tensor(factors, at::kFloat) * powers(rope.theta, dim));
}

double dynamic_theta(const RopeScaling& rope, std::int64_t dim, std::int64_t length) {
  const auto most = static_cast<double>(rope.max_positions);
  const double reached = std::max(most, static_cast<double>(length));
  const double growth = rope.factor * reached / most - (rope.factor - 1);
  return rope.theta * std::pow(growth, static_cast<double>(dim) / static_cast<double>(dim - 2));
}

at::Tensor inverse_frequencies(const RopeScaling& rope, std::int64_t dim, std::int64_t length) {
  switch (rope.type) {
    case RopeType::none: break;
    case RopeType::linear: return at::reciprocal(powers(rope.theta, dim)) / rope.factor;
    case RopeType::dynamic: return at::reciprocal(powers(dynamic_theta(rope, dim, length), dim));
    case RopeType::yarn: return yarn(rope, dim);
    case RopeType::llama3: return llama3(rope, dim);
    case RopeType::longrope: return longrope(rope, dim, length);
  }
  return at::reciprocal(powers(rope.theta, dim));
}

/// What yarn multiplies attention by when the context grows `scale` times.
double yarn_mscale(double scale, double mscale) { return scale <= 1 ? 1 : 0.1 * mscale * std::log(scale) + 1; }

double attention_factor(const RopeScaling& rope) {
  if (rope.type != RopeType::yarn && rope.type != RopeType::longrope) return 1;
  if (rope.attention_factor) return *rope.attention_factor;
  if (rope.type == RopeType::longrope) {
    if (rope.factor <= 1) return 1;
    return std::sqrt(1 + std::log(rope.factor) / std::log(static_cast<double>(rope.original_positions)));
  }
  if (rope.mscale == 0 || rope.mscale_all_dim == 0) return yarn_mscale(rope.factor, 1);
  return yarn_mscale(rope.factor, rope.mscale) / yarn_mscale(rope.factor, rope.mscale_all_dim);
}

}  // namespace

std::int64_t RopeScaling::rotary_dim(std::int64_t head_dim) const {
  const auto dim = static_cast<std::int64_t>(static_cast<double>(head_dim) * rotary_share);
  if (dim < 2 || dim % 2 != 0 || dim > head_dim) {
    fail(ErrorKind::data,
         "a rotary embedding of {} of the {} dimensions of a head (a share of {}): expected an even number, at least 2",
         dim, head_dim, rotary_share);
  }
  return dim;
}

RopeFrequencies rope_frequencies(const RopeScaling& rope, std::int64_t head_dim, std::int64_t length) {
  const at::Tensor inverse = inverse_frequencies(rope, rope.rotary_dim(head_dim), length).contiguous();
  const float* data = inverse.const_data_ptr<float>();
  return {{data, data + inverse.numel()}, attention_factor(rope)};
}

at::Tensor rope_table(const RopeScaling& rope, std::int64_t head_dim, std::int64_t positions, std::int64_t length) {
  const RopeFrequencies frequencies = rope_frequencies(rope, head_dim, length);
  return kernels::rotary_table(positions, frequencies.inverse, frequencies.attention_factor);
}

}  // namespace hone
