#pragma once

#include <string>

#include "stages/labelled_rows.h"

namespace hone::test {

/// JSON lines of solutions: steps in "xyz" are right, steps in "abc" are wrong.
inline std::string solutions(std::uint64_t count) {
  std::string lines;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string steps, labels;
    for (std::uint64_t step = 0; step < 1 + i % 3; ++step) {
      const std::uint64_t right = (i / 3 + step) % 2;
      const std::string comma = step == 0 ? "" : ",";
      steps += comma + "\"" + text_of_class(7 * i + step, right) + "\"";
      labels += comma + (right == 1 ? "true" : "false");
    }
    lines += R"({"prompt":")" + text_of_class(i, 2) + R"(?","completions":[)" + steps + R"(],"labels":[)" + labels + "]}\n";
  }
  return lines;
}

}  // namespace hone::test
