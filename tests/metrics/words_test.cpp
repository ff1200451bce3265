#include "metrics/words.h"

#include <doctest/doctest.h>

#include <utility>

namespace hone {

TEST_CASE("metrics: words of 13a") {
  const std::pair<const char*, Words> split[] = {
      {"It's 3.5%, not 1,000.", {"It's", "3.5", "%", ",", "not", "1,000", "."}},
      {"a-b 1-2 (c) d/e", {"a-b", "1", "-", "2", "(", "c", ")", "d", "/", "e"}},
      {"&quot;x&amp;y&quot;", {"\"", "x", "&", "y", "\""}},
      {"well...", {"well", ".", ".", "."}},
      {"caf\xC3\xA9. \xE2\x80\x9Cok\xE2\x80\x9D", {"caf\xC3\xA9", ".", "\xE2\x80\x9Cok\xE2\x80\x9D"}},
      {"two\u3000wide\u00a0spaces", {"two", "wide", "spaces"}},
      {"hyphen-\nated line\nends", {"hyphenated", "line", "ends"}},
      {"", {}},
  };
  for (const auto& [text, words] : split) {
    CAPTURE(text);
    CHECK(words_13a(text) == words);
  }
}

}  // namespace hone
