#include "io/gguf.h"

#include "io/float_bits.h"
#include "io/tensor_view.h"

#include "support/error_of.h"
#include "support/gguf_reader.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace hone {

using test::Scratch;

namespace {

GgufTensor tensor_of(std::string name, std::vector<std::int64_t> shape, GgufType type, std::vector<float> values) {
  return {std::move(name), std::move(shape), type,
          [values = std::move(values)](float* to) { std::copy(values.begin(), values.end(), to); }};
}

}  // namespace

TEST_CASE("io: a GGUF file has keys of every type and aligned tensors, the last size first") {
  const Scratch scratch;
  const auto path = scratch.path() / "x.gguf";
  const std::vector<std::pair<std::string, GgufValue>> keys = {
      {"u8", std::uint8_t{200}},
      {"i8", std::int8_t{-3}},
      {"u16", std::uint16_t{60000}},
      {"i16", std::int16_t{-3}},
      {"u32", std::uint32_t{4000000000}},
      {"i32", std::int32_t{-3}},
      {"f32", 1.5f},
      {"bool", true},
      {"text", std::string("é")},
      {"u64", std::uint64_t{1} << 60},
      {"i64", std::int64_t{-5}},
      {"f64", 0.1},
      {"texts", GgufList(std::vector<std::string>{"a", "", "b"})},
      {"floats", GgufList(std::vector<float>{1.0f, 2.5f})},
      {"bools", GgufList(std::vector<bool>{true, false, true})},
      {"ints", GgufList(std::vector<std::int32_t>{-1, 7})},
      {"none", GgufList(std::vector<std::uint8_t>{})}};
  const std::vector<GgufTensor> tensors = {
      tensor_of("b", {2, 3}, GgufType::f32, {1, 2, 3, 4, 5, 6}), tensor_of("a", {1}, GgufType::f16, {0.5f}),
      tensor_of("empty", {0, 3}, GgufType::bf16, {}), tensor_of("c", {1, 1, 1, 2}, GgufType::bf16, {1.0f, -2.0f})};
  write_gguf(path, keys, tensors);
  const test::GgufContents file = test::read_gguf(path);
  CHECK(file.keys == std::map<std::string, GgufValue>(keys.begin(), keys.end()));
  CHECK(file.order == std::vector<std::string>{"b", "a", "empty", "c"});
  CHECK(file.tensors.at("b").shape == std::vector<std::int64_t>{2, 3});
  CHECK(file.tensors.at("b").bytes.size() == 24);
  CHECK(file.tensors.at("a").offset == 32);
  CHECK(file.tensors.at("a").bytes == std::string("\x00\x38", 2));
  CHECK(file.tensors.at("empty").bytes.empty());
  CHECK(file.tensors.at("c").offset == 64);
  CHECK(file.tensors.at("c").bytes == std::string("\x80\x3f\x00\xc0", 4));
  CHECK(std::filesystem::file_size(path) % 32 == 0);
  const std::string first = read_file(path);
  write_gguf(path, keys, tensors);
  CHECK(read_file(path) == first);
}

TEST_CASE("io: q8_0 blocks have a float16 scale and values rounded away from zero at halves") {
  std::vector<float> values(96, 0.0f);
  for (int i = 0; i < 32; ++i) values[static_cast<std::size_t>(i)] = static_cast<float>(i - 16) * 127.0f / 16.0f;
  values[32] = 254.0f;  // scale 2: 127
  values[33] = 1.0f;    // half a step
  values[34] = -1.0f;
  values[35] = 0.99f;
  std::vector<std::byte> bytes(3 * 34);
  REQUIRE(quantize_q8_0(values, bytes.data()));
  const auto scale = [&](int block) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + block * 34, 2);
    return float16_to_float(bits);
  };
  const auto stored = [&](int block, int i) {
    return static_cast<int>(static_cast<std::int8_t>(bytes[static_cast<std::size_t>(block * 34 + 2 + i)]));
  };
  CHECK(scale(0) == 1.0f);
  CHECK(stored(0, 0) == -127);
  CHECK(stored(0, 17) == 8);  // 7.9375
  CHECK(scale(1) == 2.0f);
  CHECK(stored(1, 0) == 127);
  CHECK(stored(1, 1) == 1);
  CHECK(stored(1, 2) == -1);
  CHECK(stored(1, 3) == 0);
  CHECK(scale(2) == 0.0f);
  CHECK(stored(2, 31) == 0);
}

TEST_CASE("io: values that a GGUF type cannot hold are refused with the tensor's name, and nothing is left") {
  const Scratch scratch;
  const auto write = [&](GgufType type, float value) {
    std::vector<float> values(32, 1.0f);
    values[3] = value;
    const GgufTensor tensor = tensor_of("blk.0.ffn_up.weight", {1, 32}, type, values);
    write_gguf(scratch.path() / "x.gguf", {}, std::span(&tensor, 1));
  };
  HONE_CHECK_ERROR(data, write(GgufType::f16, 70000.0f), "blk.0.ffn_up.weight", "wider");
  HONE_CHECK_ERROR(data, write(GgufType::q8_0, 1e7f), "blk.0.ffn_up.weight");
  HONE_CHECK_ERROR(data, write(GgufType::q8_0, NAN), "blk.0.ffn_up.weight");
  HONE_CHECK_ERROR(data, write(GgufType::q8_0, -INFINITY), "blk.0.ffn_up.weight");
  CHECK(std::filesystem::is_empty(scratch.path()));
  CHECK_NOTHROW(write(GgufType::bf16, 1e7f));
  CHECK_NOTHROW(write(GgufType::q8_0, std::numeric_limits<float>::denorm_min()));
}

}  // namespace hone
