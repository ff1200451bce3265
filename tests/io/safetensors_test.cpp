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
  const std::vector<TensorView> tensors = {
      view_of("a.bool", DType::boolean, {3}, "abc"), view_of("b", DType::f32, {2, 1}, "12345678"),
      view_of("empty", DType::i64, {0, 4}, ""), view_of("scalar", DType::bf16, {}, "hi")};
  write_safetensors(path, tensors, {{"note", "x"}});
  const Safetensors file = Safetensors::open(scratch.path());
  REQUIRE(file.tensors().size() == 4);
  for (const TensorView& tensor : tensors) {
    const TensorView* found = file.find(tensor.name);
    REQUIRE(found != nullptr);
    CHECK(found->dtype == tensor.dtype);
    CHECK(found->shape == tensor.shape);
    CHECK(text_of(*found) == text_of(tensor));
    CHECK(reinterpret_cast<std::uintptr_t>(found->bytes.data()) % (element_bits(tensor.dtype) / 8) == 0);
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
  const std::string_view two = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                               R"("b":{"dtype":"U8","shape":[4],"data_offsets":[8,12]}})";
  CHECK_NOTHROW(open(two, "0123456789ab"));
  HONE_CHECK_ERROR(data, open(two, "0123456789"), "truncated", "tensor b", "12", "10");
  HONE_CHECK_ERROR(data, open(two, "0123456789abc"), "take 12 bytes", "13");
  HONE_CHECK_ERROR(data, open(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "01234567"), "tensor a",
                   "needs 12", "give 8");
  HONE_CHECK_ERROR(data,
                   open(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},
                                  "b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
                        "012345"),
                   "tensor b", "overlap");
  HONE_CHECK_ERROR(data, open(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})", "012345"), "hole");
  HONE_CHECK_ERROR(data, open(R"({"a":{"dtype":"F9","shape":[4],"data_offsets":[0,4]}})", "0123"), "F9");
  HONE_CHECK_ERROR(data, open(R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}})", "01"), "no whole number");
  HONE_CHECK_ERROR(data, open(R"({"a":[]})", ""), "tensor a", "object", "array");
  HONE_CHECK_ERROR(data, open(R"({"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}})", "0123"), "shape");
  HONE_CHECK_ERROR(data, open(R"({"a":{"dtype":"U8","data_offsets":[0,4]}})", "0123"), "tensor a", "shape");
  const std::string_view huge = R"({"a":{"dtype":"F64","shape":[9223372036854775807,8],"data_offsets":[0,4]}})";
  HONE_CHECK_ERROR(data, open(huge, "0123"), "too many");
  HONE_CHECK_ERROR(data, open(R"({"a":)", ""), "x.safetensors");
  HONE_CHECK_ERROR(data, open("[]", ""), "object");
  HONE_CHECK_ERROR(data, open("", ""), "begin with '{'");
  HONE_CHECK_ERROR(data, open(" {}", ""), "begin with '{'");
  HONE_CHECK_ERROR(data, open("{}{}", ""), "not valid JSON");
  HONE_CHECK_ERROR(data, open("{\"\xff\":1}", ""), "not valid JSON");
  CHECK_NOTHROW(open("{}  ", ""));
}

TEST_CASE("io: safetensors headers have no duplicate keys, and metadata of strings only") {
  const auto parse = [](std::string_view header, std::string_view data) {
    const std::string file = with_header(header, data);
    parse_safetensors(std::as_bytes(std::span(file)), "x");
  };
  HONE_CHECK_ERROR(data,
                   parse(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
                                   "a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                         "0"),
                   "\"a\"", "twice");
  HONE_CHECK_ERROR(data, parse(R"({"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", "0"),
                   "\"dtype\"", "twice");
  HONE_CHECK_ERROR(data, parse(R"({"__metadata__":{"a":1}})", ""), "__metadata__", "`a`", "integer");
  HONE_CHECK_ERROR(data, parse(R"({"__metadata__":"a"})", ""), "__metadata__", "string");
  HONE_CHECK_ERROR(data, parse(R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})", "0"), "whole");
  HONE_CHECK_ERROR(data, parse(R"({"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,1]}})", "0"),
                   "whole");
  HONE_CHECK_ERROR(data, parse(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[1,0]}})", "0"), "give -1");
  HONE_CHECK_ERROR(data, parse(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}})", "0"), "[begin, end]");
}

TEST_CASE("io: safetensors know every type of the format") {
  for (const char* name : {"F64",     "F32",         "F16",         "BF16",    "I64",     "I32", "I16",     "I8",
                           "U8",      "U16",         "U32",         "U64",     "BOOL",    "C64", "F8_E4M3", "F8_E5M2",
                           "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F6_E2M3", "F6_E3M2", "F4"}) {
    const auto dtype = dtype_named(name);
    REQUIRE_MESSAGE(dtype.has_value(), name);
    CHECK(dtype_name(*dtype) == name);
    const std::string data(element_bits(*dtype), 'x');  // eight elements
    const std::string file = with_header(
        fmt::format(R"({{"a":{{"dtype":"{}","shape":[2,4],"data_offsets":[0,{}]}}}})", name, data.size()), data);
    CHECK(parse_safetensors(std::as_bytes(std::span(file)), "x").tensors.at(0).dtype == *dtype);
  }
}

TEST_CASE("io: a damaged safetensors file is refused, or every tensor still lies within it") {
  const std::string_view header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"U8","shape":[4],"data_offsets":[8,12]}})";
  const std::string whole = with_header(header, "0123456789ab");
  const auto accepted = [](const std::string& bytes) {
    try {
      const SafetensorsContents contents = parse_safetensors(std::as_bytes(std::span(bytes)), "x");
      std::size_t total = 0;
      for (const TensorView& tensor : contents.tensors) {
        const auto* first = reinterpret_cast<const char*>(tensor.bytes.data());
        CHECK(first >= bytes.data());
        CHECK(first + tensor.bytes.size() <= bytes.data() + bytes.size());
        CHECK(byte_count(tensor.dtype, tensor.shape) == tensor.bytes.size());
        total += tensor.bytes.size();
      }
      CHECK(total <= 12);
      return true;
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::data);
      return false;
    }
  };
  CHECK(accepted(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(accepted(whole.substr(0, size)));
  int refused = 0;
  for (std::size_t at = 0; at < 8 + header.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 1 << bit);
      refused += !accepted(damaged);
    }
    for (const char byte : {'\0', '"', '{', '}', '[', ']', ',', ':', '-', '9', '\\', '\xff'}) {
      std::string damaged = whole;
      damaged[at] = byte;
      refused += !accepted(damaged);
    }
  }
  CHECK(refused > 2000);  // what remains changes names, or bytes of the data that no rule covers
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
  HONE_CHECK_ERROR(data, index(R"({"a": "2.safetensors"})"), "tensor b", "not in the weight_map");
  HONE_CHECK_ERROR(data, index(R"({"b": "1.safetensors", "a": "1.safetensors"})"), "tensor b", "does not have it");
  HONE_CHECK_ERROR(data, index(R"({"a": "2.safetensors", "b": "1.safetensors"})"), "should be in", "has it");
  HONE_CHECK_ERROR(data, index(R"({"a": "3.safetensors"})"), "3.safetensors", "missing");
  for (const char* outside : {"../1.safetensors", "/1.safetensors", "..", ".", "", "a/1.safetensors", "1\\u0000"}) {
    HONE_CHECK_ERROR(data, index(fmt::format(R"({{"a": "{}"}})", outside)), "beside the index");
  }
  HONE_CHECK_ERROR(data, index("[]"), "weight_map");
  HONE_CHECK_ERROR(data, index("{}"), "names no tensor");
  HONE_CHECK_ERROR(data, index(R"({"a": 1})"), "tensor a", "file's name");
  HONE_CHECK_ERROR(data, index(R"({"a": "1.safetensors", "a": "2.safetensors"})"), "twice");
  write_safetensors(scratch.path() / "2.safetensors", std::vector<TensorView>{a, b});
  HONE_CHECK_ERROR(data, index(R"({"a": "1.safetensors", "b": "2.safetensors"})"), "tensor a", "earlier shard");
}

TEST_CASE("io: files of two saves in one directory are refused") {
  const Scratch scratch;
  const TensorView a = view_of("a", DType::u8, {1}, "a");
  const auto save = [&](const char* name) { write_safetensors(scratch.path() / name, std::span(&a, 1)); };
  const auto index = [&](std::string_view shard) {
    scratch.file("model.safetensors.index.json", fmt::format(R"({{"weight_map": {{"a": "{}"}}}})", shard));
  };
  save("model-00001-of-00001.safetensors");
  index("model-00001-of-00001.safetensors");
  CHECK(Safetensors::open(scratch.path()).tensors().size() == 1);
  save("model.safetensors");
  HONE_CHECK_ERROR(data, Safetensors::open(scratch.path()), "both model.safetensors", "which of the two");
  fs::remove(scratch.path() / "model.safetensors");
  save("model-00002-of-00003.safetensors");
  HONE_CHECK_ERROR(data, Safetensors::open(scratch.path()), "model-00002-of-00003.safetensors", "another save");
  fs::remove(scratch.path() / "model-00002-of-00003.safetensors");
  fs::rename(scratch.path() / "model-00001-of-00001.safetensors", scratch.path() / "model.safetensors");
  index("model.safetensors");
  CHECK(Safetensors::open(scratch.path()).tensors().size() == 1);
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
