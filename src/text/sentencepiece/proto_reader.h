#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hone {

/// Reads the fields of one Protocol Buffers message in the order they stand (the wire format of protobuf.dev/encoding).
/// Nothing is copied: views point into the message. Every method throws Error{data} that names the source and the byte
/// when the message is cut off or malformed.
///
///   while (reader.next()) { if (reader.field() == 3) value = reader.varint(); }
class ProtoReader {
 public:
  /// `source` names the file in errors and must outlive the reader; `origin` is where the message starts in it.
  ProtoReader(std::string_view message, const std::string& source, std::size_t origin = 0);

  /// Moves to the next field, past what was not read of the one before. False at the end.
  bool next();
  std::uint32_t field() const { return field_; }

  /// The value of the field, which must have the wire type that the name says.
  std::uint64_t varint() const;
  bool boolean() const { return varint() != 0; }
  /// An int32: negative numbers come as ten bytes.
  std::int32_t int32() const;
  float float32() const;
  std::string_view bytes() const;
  ProtoReader message() const;

 private:
  std::uint64_t read_varint();
  std::string_view take(std::uint64_t size);
  [[noreturn]] void refuse(const std::string& what) const;
  void expect(std::uint32_t wire_type, std::string_view name) const;

  std::string_view rest_;
  std::string_view whole_;
  const std::string& source_;
  std::size_t origin_;
  std::uint32_t field_ = 0;
  std::uint32_t wire_type_ = 0;
  std::uint64_t number_ = 0;  // of wire types 0, 1 and 5
  std::string_view bytes_;    // of wire type 2
};

}  // namespace hone
