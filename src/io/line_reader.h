#pragma once

#include "io/byte_source.h"
#include "io/table.h"

namespace hone {

/// Lines of a text file as valid UTF-8, without their ends (LF or CRLF); a byte order mark is skipped.
class LineReader {
 public:
  LineReader(const std::filesystem::path& path, CharacterEncoding encoding);

  /// Puts the next line into `line`; false at the end. Error{data} names line and byte of broken UTF-8.
  bool next(std::string& line);
  /// As `next`, but past blank lines (nothing but white space).
  bool next_filled(std::string& line);
  /// The rest of the file as one text, with its line ends as they are.
  std::string rest();

  /// Number of the line given last, from 1.
  std::int64_t number() const { return number_; }
  const std::string& source() const { return source_; }

 private:
  bool raw_line(std::string& line);
  void decode(std::string& text, std::int64_t first_line) const;

  std::string source_;
  CharacterEncoding encoding_;
  ByteSource bytes_;
  std::string buffer_;
  std::size_t used_ = 0;
  std::int64_t number_ = 0;
};

}  // namespace hone
