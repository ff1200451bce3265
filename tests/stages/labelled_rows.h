#pragma once

#include <string>

#include "base/random.h"

namespace hone::test {

/// A few letters of "abc" when the class is 0, of "xyz" when it is 1, and so on; the same for the same index.
inline std::string text_of_class(std::uint64_t index, std::uint64_t which) {
  static constexpr const char* alphabets[] = {"abc", "xyz", "klm"};
  Random random(stream_key(11, "labelled rows"), index);
  std::string text;
  for (std::uint64_t t = 0; t < 4 + index % 5; ++t) text += alphabets[which][random.below(3)];
  return text;
}

/// JSON lines of text and label, classes in turn.
inline std::string labelled_rows(std::uint64_t count, std::uint64_t classes, const char* const* names) {
  std::string lines;
  for (std::uint64_t i = 0; i < count; ++i) {
    lines += R"({"text":")" + text_of_class(i, i % classes) + R"(","label":")" + names[i % classes] + "\"}\n";
  }
  return lines;
}

}  // namespace hone::test
