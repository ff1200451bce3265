#pragma once

#include <string>
#include <string_view>

namespace hone {

/// Turns a stream of bytes, cut anywhere (tokens, as they are sampled), into valid UTF-8 without ever showing half of
/// a character. The joined output equals `valid_utf8` of the joined input.
class Utf8Stream {
 public:
  /// What is certain after these bytes; the beginning of an unfinished character is held back.
  std::string push(std::string_view bytes);
  /// The end of the stream: U+FFFD for a character that stayed unfinished, else "".
  std::string finish();

 private:
  std::string held_;
};

}  // namespace hone
