#include "io/safetensors.h"

#include "support/error_of.h"
#include "support/scratch.h"
#include "support/test_data.h"

#include <doctest/doctest.h>

#include <cstring>

namespace hone {

using test::Scratch;
namespace fs = std::filesystem;

namespace {

std::string with_header(std::string_view header, std::string_view data) {
  const std::uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), 8);
  return bytes.append(header).append(data);
}

TensorView view_of(std::string name, DType dtype, std::vector<std::int64_t> shape, std::string_view bytes) {
  return {std::move(name), dtype, std::move(shape), std::as_bytes(std::span(bytes))};
}

std::string_view text_of(const TensorView& view) {
  return {reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size()};
}

}  // namespace

TEST_CASE("io: safetensors come back as written, aligned to their elements") {
  const Scratch scratch;
  const fs::path path = scratch.path() / "model.safetensors";
  const std::vector<TensorView> tensors = {view_of("a.bool", DType::boolean, {3}, "abc"),
                                           view_of("b", DType::f32, {2, 1}, "12345678"),
                                           view_of("empty", DType::i64, {0, 4}, ""),
                                           view_of("scalar", DType::bf16, {}, "hi")};
  write_safetensors(path, tensors, {{"note", "x"}});
  const Safetensors file = Safetensors::open(scratch.path());
  REQUIRE(file.tensors().size() == 4);
  for (const TensorView& tensor : tensors) {
    const TensorView* found = file.find(tensor.name);
    REQUIRE(found != nullptr);
    CHECK(found->dtype == tensor.dtype);
    CHECK(found->shape == tensor.shape);
    CHECK(text_of(*found) == text_of(tensor));
    CHECK(reinterpret_cast<std::uintptr_t>(found->bytes.data()) % element_size(tensor.dtype) == 0);
  }
  CHECK(file.find("c") == nullptr);
  CHECK(file.metadata().at("format") == "pt");
  CHECK(file.metadata().at("note") == "x");
}

TEST_CASE("io: broken safetensors name the tensor and both sizes") {
  const Scratch scratch;
  const auto open = [&](std::string_view header, std::string_view data) {
    Safetensors::open(scratch.file("x.safetensors", with_header(header, data)));
  };
  const std::string_view two =
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"U8","shape":[4],"data_offsets":[8,12]}})";
  CHECK_NOTHROW(open(two, "0123456789ab"));
  HONE_CHECK_ERROR(data, open(two, "0123456789"), "truncated", "tensor b", "12", "10");
  HONE_CHECK_ERROR(data, open(two, "0123456789abc"), "take 12 bytes", "13");
  HONE_CHECK_ERROR(data, open(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "01234567"), "tensor a",
                   "needs 12", "give 8");
  HONE_CHECK_ERROR(data, open(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},
                                  "b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})", "012345"), "tensor b",
                   "overlap");
  HONE_CHECK_ERROR(data, open(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})", "012345"), "hole");
  HONE_CHECK_ERROR(data, open(R"({"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}})", "0123"), "F8_E4M3");
  HONE_CHECK_ERROR(data, open(R"({"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}})", "0123"), "shape");
  HONE_CHECK_ERROR(data, open(R"({"a":{"dtype":"U8","data_offsets":[0,4]}})", "0123"), "tensor a", "shape");
  const std::string_view huge = R"({"a":{"dtype":"F64","shape":[9223372036854775807,8],"data_offsets":[0,4]}})";
  HONE_CHECK_ERROR(data, open(huge, "0123"), "too many");
  HONE_CHECK_ERROR(data, open(R"({"a":)", ""), "x.safetensors");
  HONE_CHECK_ERROR(data, open("[]", ""), "object");
}

TEST_CASE("io: a file too short for its header is truncated, not read") {
  const Scratch scratch;
  HONE_CHECK_ERROR(data, Safetensors::open(scratch.file("x", "abc")), "3 bytes");
  HONE_CHECK_ERROR(data, Safetensors::open(scratch.file("x", "")), "0 bytes");
  HONE_CHECK_ERROR(data, Safetensors::open(scratch.file("x", std::string("\x64\0\0\0\0\0\0\0{}", 10))), "truncated",
                   "100");
  HONE_CHECK_ERROR(data, Safetensors::open(scratch.file("x", "<!DOCTYPE html>")), "not a safetensors file");
  HONE_CHECK_ERROR(io, Safetensors::open(scratch.path()), "model.safetensors.index.json");
}

TEST_CASE("io: shards are read through their index") {
  const Scratch scratch;
  const TensorView a = view_of("a", DType::u8, {1}, "a");
  const TensorView b = view_of("b", DType::u8, {1}, "b");
  write_safetensors(scratch.path() / "1.safetensors", std::span(&a, 1));
  write_safetensors(scratch.path() / "2.safetensors", std::span(&b, 1));
  const auto index = [&](std::string_view map) {
    scratch.file("model.safetensors.index.json", fmt::format(R"({{"weight_map": {}}})", map));
    return Safetensors::open(scratch.path());
  };
  const Safetensors whole = index(R"({"b": "2.safetensors", "a": "1.safetensors"})");
  CHECK(text_of(*whole.find("a")) == "a");
  CHECK(text_of(*whole.find("b")) == "b");
  HONE_CHECK_ERROR(data, index(R"({"a": "2.safetensors"})"), "tensor a", "2.safetensors");
  HONE_CHECK_ERROR(io, index(R"({"a": "3.safetensors"})"), "3.safetensors", "No such file");
  HONE_CHECK_ERROR(data, index(R"({"a": "../1.safetensors"})"), "beside the index");
  HONE_CHECK_ERROR(data, index("[]"), "weight_map");
  write_safetensors(scratch.path() / "2.safetensors", std::vector<TensorView>{a, b});
  HONE_CHECK_ERROR(data, index(R"({"a": "1.safetensors", "b": "2.safetensors"})"), "tensor a", "earlier shard");
}

TEST_CASE("io: a published model opens") {
  HONE_NEEDS_TEST_DATA(data);
  const Safetensors file = Safetensors::open(data / "models" / "stories260K" / "hf");
  const TensorView* embedding = file.find("model.embed_tokens.weight");
  REQUIRE(embedding != nullptr);
  CHECK(embedding->shape == std::vector<std::int64_t>{512, 64});
  CHECK(embedding->dtype == DType::f32);
}

}  // namespace hone
