#include "text/sentencepiece/proto_reader.h"

#include "base/error.h"

#include <bit>

namespace hone {
namespace {

constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kFixed64 = 1;
constexpr std::uint32_t kBytes = 2;
constexpr std::uint32_t kFixed32 = 5;

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

ProtoReader::ProtoReader(std::string_view message, const std::string& source, std::size_t origin)
    : rest_(message), whole_(message), source_(source), origin_(origin) {}

void ProtoReader::refuse(const std::string& what) const {
  fail(ErrorKind::data, "{}: byte {}: {}: the file is damaged or of another kind", source_,
       origin_ + whole_.size() - rest_.size() + 1, what);
}

std::uint64_t ProtoReader::read_varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) refuse("a number is cut off");
    const auto byte = static_cast<unsigned char>(rest_[0]);
    if (shift == 63 && byte > 1) refuse("a number has more than 64 bits");
    rest_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  refuse("a number has more than ten bytes");
}

std::string_view ProtoReader::take(std::uint64_t size) {
  if (size > rest_.size()) refuse(fmt::format("{} bytes are announced, {} are left", size, rest_.size()));
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

bool ProtoReader::next() {
  if (rest_.empty()) return false;
  const std::uint64_t tag = read_varint();
  if (tag >> 3 == 0 || tag >> 3 >= 1u << 29) refuse(fmt::format("field number {}", tag >> 3));
  field_ = static_cast<std::uint32_t>(tag >> 3);
  wire_type_ = static_cast<std::uint32_t>(tag & 7);
  if (wire_type_ == kVarint) {
    number_ = read_varint();
  } else if (wire_type_ == kFixed64) {
    number_ = little_endian(take(8));
  } else if (wire_type_ == kBytes) {
    bytes_ = take(read_varint());
  } else if (wire_type_ == kFixed32) {
    number_ = little_endian(take(4));
  } else {
    refuse(fmt::format("field {} has the wire type {}", field_, wire_type_));
  }
  return true;
}

void ProtoReader::expect(std::uint32_t wire_type, std::string_view name) const {
  if (wire_type_ != wire_type) {
    refuse(fmt::format("field {} has the wire type {}, expected {} ({})", field_, wire_type_, wire_type, name));
  }
}

std::uint64_t ProtoReader::varint() const {
  expect(kVarint, "number");
  return number_;
}

std::int32_t ProtoReader::int32() const {
  const auto value = static_cast<std::int64_t>(varint());
  if (value < INT32_MIN || value > INT32_MAX) refuse(fmt::format("field {} is {}", field_, value));
  return static_cast<std::int32_t>(value);
}

float ProtoReader::float32() const {
  expect(kFixed32, "float");
  return std::bit_cast<float>(static_cast<std::uint32_t>(number_));
}

std::string_view ProtoReader::bytes() const {
  expect(kBytes, "bytes");
  return bytes_;
}

ProtoReader ProtoReader::message() const {
  const std::string_view inside = bytes();
  return ProtoReader(inside, source_, origin_ + static_cast<std::size_t>(inside.data() - whole_.data()));
}

}  // namespace hone
