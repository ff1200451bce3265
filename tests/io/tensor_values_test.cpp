#include "io/tensor_values.h"

#include "base/threads.h"
#include "io/float_bits.h"
#include "io/safetensors.h"

#include "support/error_of.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace hone {

using test::Scratch;

namespace {

/// The value of a 16-bit float by its definition.
double defined_value(std::uint16_t bits, int exponent_bits) {
  const int fraction_bits = 15 - exponent_bits;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = (bits & 0x7fff) >> fraction_bits;
  const int fraction = bits & ((1 << fraction_bits) - 1);
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) return fraction != 0 ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign * std::ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits);
}

/// Every bit pattern comes back; between neighbours the nearer one is chosen, in the middle the even one.
template <class ToFloat, class FromFloat>
void check_all_patterns(int exponent_bits, const ToFloat& to_float, const FromFloat& from_float) {
  const auto infinity = static_cast<std::uint16_t>(((1 << exponent_bits) - 1) << (15 - exponent_bits));
  int wrong = 0;
  for (std::uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
    const auto bits = static_cast<std::uint16_t>(pattern);
    const double expected = defined_value(bits, exponent_bits);
    const float value = to_float(bits);
    if (std::isnan(expected)) {
      wrong += !std::isnan(value) || !std::isnan(to_float(from_float(value)));
      continue;
    }
    wrong += static_cast<double>(value) != expected || std::signbit(value) != ((bits & 0x8000) != 0);
    wrong += from_float(value) != bits;
    if ((bits & 0x7fff) >= infinity - 1) continue;
    const auto next = static_cast<std::uint16_t>(bits + 1);
    const auto middle = static_cast<float>((expected + defined_value(next, exponent_bits)) / 2);
    wrong += from_float(middle) != (bits % 2 == 0 ? bits : next);
    wrong += from_float(std::nextafterf(middle, 0.0f)) != bits;
    wrong += from_float(std::nextafterf(middle, middle * 2)) != next;
  }
  CHECK(wrong == 0);
  const auto greatest = static_cast<std::uint16_t>(infinity - 1);
  const auto below = static_cast<std::uint16_t>(infinity - 2);
  const double unit = defined_value(greatest, exponent_bits) - defined_value(below, exponent_bits);
  const auto limit = static_cast<float>(defined_value(greatest, exponent_bits) + unit / 2);
  CHECK(from_float(limit) == infinity);
  CHECK(from_float(std::nextafterf(limit, 0.0f)) == greatest);
  CHECK(from_float(-limit) == (infinity | 0x8000));
  CHECK(from_float(std::numeric_limits<float>::max()) == infinity);
}

TensorView view_of(DType dtype, std::vector<std::int64_t> shape, std::span<const std::byte> bytes) {
  return {"x", dtype, std::move(shape), bytes};
}

template <class Stored>
void check_values(DType dtype, const std::vector<Stored>& stored, const std::vector<float>& expected) {
  std::vector<std::byte> shifted(stored.size() * sizeof(Stored) + 1);  // not aligned, as in old files
  std::memcpy(shifted.data() + 1, stored.data(), stored.size() * sizeof(Stored));
  std::vector<float> values(stored.size());
  copy_as_float32(view_of(dtype, {static_cast<std::int64_t>(stored.size())}, std::span(shifted).subspan(1)),
                  values.data());
  INFO(dtype_name(dtype));
  CHECK(std::memcmp(values.data(), expected.data(), values.size() * sizeof(float)) == 0);
}

}  // namespace

TEST_CASE("io: float16 and bfloat16 are converted exactly, and rounded to even") {
  check_all_patterns(5, float16_to_float, float_to_float16);
  check_all_patterns(8, bfloat16_to_float, float_to_bfloat16);
  CHECK(float_to_float16(1e-8f) == 0);
  CHECK(float_to_float16(-1e-30f) == 0x8000);
}

TEST_CASE("io: tensors of every numeric type become float32") {
  check_values<float>(DType::f32, {1.5f, -0.0f, INFINITY}, {1.5f, -0.0f, INFINITY});
  check_values<std::uint16_t>(DType::f16, {0x3c00, 0x0001, 0xfc00}, {1.0f, 0x1p-24f, -INFINITY});
  check_values<std::uint16_t>(DType::bf16, {0x3f80, 0x0001, 0xff80}, {1.0f, 0x1p-133f, -INFINITY});
  check_values<double>(DType::f64, {0.1, -1e300, 3.0}, {0.1f, -INFINITY, 3.0f});
  check_values<std::int64_t>(DType::i64, {-5, (1LL << 40) + 1}, {-5.0f, 0x1p40f});
  check_values<std::int32_t>(DType::i32, {-5, 1 << 30}, {-5.0f, 0x1p30f});
  check_values<std::int16_t>(DType::i16, {-32768, 7}, {-32768.0f, 7.0f});
  check_values<std::int8_t>(DType::i8, {-128, 127}, {-128.0f, 127.0f});
  check_values<std::uint8_t>(DType::u8, {0, 255}, {0.0f, 255.0f});
  check_values<std::uint16_t>(DType::u16, {65535}, {65535.0f});
  check_values<std::uint32_t>(DType::u32, {4294967295u}, {0x1p32f});
  check_values<std::uint64_t>(DType::u64, {~0ull}, {0x1p64f});
  check_values<std::uint8_t>(DType::boolean, {0, 1, 2}, {0.0f, 1.0f, 1.0f});
}

TEST_CASE("io: tensors without float32 values are refused by name") {
  const std::string bytes = "0123";
  float value = 0;
  for (const DType dtype : {DType::f8_e4m3, DType::f8_e5m2, DType::f4, DType::c64}) {
    CHECK_FALSE(has_float32_values(dtype));
    HONE_CHECK_ERROR(data, copy_as_float32(view_of(dtype, {1}, std::as_bytes(std::span(bytes))), &value), "tensor x",
                     dtype_name(dtype), "not supported");
  }
  HONE_CHECK_ERROR(data, copy_as_float32(view_of(DType::f32, {2}, std::as_bytes(std::span(bytes))), &value),
                   "tensor x", "4 bytes", "[2]");
}

TEST_CASE("io: large mapped tensors are the same with any number of threads, and can be read again") {
  const Scratch scratch;
  std::vector<float> values(3 * (1 << 18) + 17);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 255) - 127.0f;
  const TensorView view = {
      "w", DType::f32, {static_cast<std::int64_t>(values.size())}, std::as_bytes(std::span(values))};
  for (const DType stored : {DType::f32, DType::f16, DType::bf16}) {
    const auto path = scratch.path() / "model.safetensors";
    write_safetensors_as(path, std::span(&view, 1), stored);
    const Safetensors file = Safetensors::open(path);
    REQUIRE(file.find("w")->dtype == stored);
    for (const int count : {1, 3, 1}) {
      set_threads(count);
      std::vector<float> read(values.size());
      copy_as_float32(*file.find("w"), read.data());
      CHECK(read == values);
    }
  }
  set_threads(1);
}

TEST_CASE("io: a weight that float16 cannot hold is not written as infinity") {
  const Scratch scratch;
  const std::vector<float> values = {1.0f, 70000.0f};
  const TensorView view = {"w", DType::f32, {2}, std::as_bytes(std::span(values))};
  HONE_CHECK_ERROR(data, write_safetensors_as(scratch.path() / "x", std::span(&view, 1), DType::f16), "tensor w",
                   "F16");
  CHECK(std::filesystem::is_empty(scratch.path()));
  CHECK_NOTHROW(write_safetensors_as(scratch.path() / "x", std::span(&view, 1), DType::bf16));
  const std::vector<float> broken = {INFINITY, NAN};
  const TensorView kept = {"w", DType::f32, {2}, std::as_bytes(std::span(broken))};
  CHECK_NOTHROW(write_safetensors_as(scratch.path() / "x", std::span(&kept, 1), DType::f16));
}

}  // namespace hone
