#pragma once

#include "io/file.h"
#include "io/gguf.h"

#include <cstring>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>

namespace hone::test {

/// A GGUF file taken apart by the format's description, to see what a writer made of it.
struct GgufContents {
  struct Tensor {
    std::vector<std::int64_t> shape;  ///< row-major
    std::uint32_t type = 0;
    std::uint64_t offset = 0;
    std::string bytes;
  };
  std::map<std::string, GgufValue> keys;
  std::vector<std::string> order;  ///< of the tensors
  std::map<std::string, Tensor> tensors;
};

class GgufReader {
 public:
  explicit GgufReader(const std::filesystem::path& path) : file_(read_file(path)) {}

  GgufContents read() {
    GgufContents contents;
    if (file_.substr(0, 4) != "GGUF") throw std::runtime_error("no GGUF file");
    at_ = 4;
    if (number<std::uint32_t>() != 3) throw std::runtime_error("not version 3");
    const auto tensors = number<std::uint64_t>(), keys = number<std::uint64_t>();
    for (std::uint64_t i = 0; i < keys; ++i) {
      std::string key = text();
      const auto type = number<std::uint32_t>();
      contents.keys.emplace(std::move(key), value(type));
    }
    for (std::uint64_t i = 0; i < tensors; ++i) {
      std::string name = text();
      GgufContents::Tensor tensor;
      tensor.shape.resize(number<std::uint32_t>());
      for (auto size = tensor.shape.rbegin(); size != tensor.shape.rend(); ++size) *size = number<std::int64_t>();
      tensor.type = number<std::uint32_t>();
      tensor.offset = number<std::uint64_t>();
      contents.order.push_back(name);
      contents.tensors.emplace(std::move(name), std::move(tensor));
    }
    const std::size_t data = (at_ + 31) / 32 * 32;
    for (auto& [name, tensor] : contents.tensors) {
      std::uint64_t rows = 1;
      for (std::size_t i = 0; i + 1 < tensor.shape.size(); ++i) rows *= static_cast<std::uint64_t>(tensor.shape[i]);
      const auto width = static_cast<std::uint64_t>(tensor.shape.back());
      const std::uint64_t size = rows * gguf_row_bytes(static_cast<GgufType>(tensor.type), width);
      if (data + tensor.offset + size > file_.size()) throw std::runtime_error(name + " lies beyond the end");
      tensor.bytes = file_.substr(data + tensor.offset, size);
    }
    return contents;
  }

 private:
  template <class Number>
  Number number() {
    Number value{};
    if (at_ + sizeof(value) > file_.size()) throw std::runtime_error("the file ends too early");
    std::memcpy(&value, file_.data() + at_, sizeof(value));
    at_ += sizeof(value);
    return value;
  }
  std::string text() {
    const auto size = number<std::uint64_t>();
    std::string value = file_.substr(at_, size);
    at_ += size;
    return value;
  }
  template <class Item, class Read>
  GgufList list_of(const Read& read) {
    std::vector<Item> items;
    const auto size = number<std::uint64_t>();
    for (std::uint64_t i = 0; i < size; ++i) items.push_back(read());
    return GgufList(std::move(items));
  }
  GgufList list() {
    switch (number<std::uint32_t>()) {
      case 0: return list_of<std::uint8_t>([this] { return number<std::uint8_t>(); });
      case 5: return list_of<std::int32_t>([this] { return number<std::int32_t>(); });
      case 6: return list_of<float>([this] { return number<float>(); });
      case 7: return list_of<bool>([this] { return number<std::uint8_t>() != 0; });
      case 8: return list_of<std::string>([this] { return text(); });
      default: throw std::runtime_error("a list of a type that no test has");
    }
  }
  GgufValue value(std::uint32_t type) {
    switch (type) {
      case 0: return number<std::uint8_t>();
      case 1: return number<std::int8_t>();
      case 2: return number<std::uint16_t>();
      case 3: return number<std::int16_t>();
      case 4: return number<std::uint32_t>();
      case 5: return number<std::int32_t>();
      case 6: return number<float>();
      case 7: return number<std::uint8_t>() != 0;
      case 8: return text();
      case 9: return list();
      case 10: return number<std::uint64_t>();
      case 11: return number<std::int64_t>();
      case 12: return number<double>();
      default: throw std::runtime_error("an unknown type");
    }
  }

  std::string file_;
  std::size_t at_ = 0;
};

inline GgufContents read_gguf(const std::filesystem::path& path) { return GgufReader(path).read(); }

}  // namespace hone::test
