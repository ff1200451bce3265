#pragma once

#include <cstddef>
#include <cstdint>

namespace hone::jinja {

/// What one template may use. Every limit that is exceeded is an Error{data} that names it.
struct Limits {
  std::size_t source_bytes = 4u << 20;    ///< the template's text
  int nesting = 200;                      ///< of brackets, operators and blocks in the template's text
  std::int64_t steps = 10'000'000;        ///< expressions and statements evaluated, items visited
  std::size_t output_bytes = 64u << 20;   ///< of the rendered text and of every string on the way to it
  std::size_t memory_bytes = 512u << 20;  ///< of all values made during one rendering
  int depth = 800;                        ///< of expressions, blocks and macro calls inside each other, while rendering
  std::int64_t range_items = 100'000;     ///< of one range()
};

}  // namespace hone::jinja
