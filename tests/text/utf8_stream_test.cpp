#include "text/utf8_stream.h"

#include "base/random.h"
#include "base/utf8.h"

#include <doctest/doctest.h>

namespace hone {

TEST_CASE("text: a stream holds back half a character and completes it") {
  Utf8Stream stream;
  CHECK(stream.push("a\xE2\x82") == "a");
  CHECK(stream.push("\xAC") == "€");
  CHECK(stream.push("\xF0\x9F") == "");
  CHECK(stream.push("\x99") == "");
  CHECK(stream.push("\x82!") == "🙂!");
  CHECK(stream.finish() == "");
}

TEST_CASE("text: a stream replaces what can no longer become a character") {
  Utf8Stream stream;
  CHECK(stream.push("\xE2\x82") == "");
  CHECK(stream.push("x") == "\xEF\xBF\xBDx");
  CHECK(stream.push("\xFF") == "\xEF\xBF\xBD");
  CHECK(stream.push("\xE0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(stream.push("\xF0\x9F\x99") == "");
  CHECK(stream.finish() == "\xEF\xBF\xBD");
}

TEST_CASE("text: streamed in any cuts, the output is that of the whole") {
  Random random(stream_key(1, "utf8 stream"));
  const std::string_view parts[] = {"a", "é", "€", "🙂", "\x80", "\xC3", "\xE2\x82", "\xF0\x9F",
                                    "\xED\xA0\x80", "\xFF"};
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (int i = 0; i < 12; ++i) text += parts[random.below(std::size(parts))];
    Utf8Stream stream;
    std::string joined;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = 1 + random.below(4);
      const std::string out = stream.push(std::string_view(text).substr(at, length));
      CHECK(first_invalid_utf8(out) == std::string::npos);
      joined += out;
      at += length;
    }
    CHECK(joined + stream.finish() == valid_utf8(text));
  }
}

}  // namespace hone
