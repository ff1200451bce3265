#pragma once

#include <cstdint>
#include <span>

/// The tables are written by tools/golden/unicode_tables.py, from the answers of the tokenizers library.
namespace hone {

/// The next `length` code points have this value; the first run begins at 0.
struct CodePointRun {
  std::uint32_t length;
  std::uint32_t value;
};
std::span<const CodePointRun> class_runs();   ///< values: CharClass::bits
std::span<const CodePointRun> script_runs();  ///< values: a number a script; 0: goes with any

/// The lower case of first, first + step, … last is `distance` (modulo 2^32) further. U+0130 is not listed.
struct LowerCaseRow {
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t step;
  std::uint32_t distance;
};
std::span<const LowerCaseRow> lower_case_rows();

}  // namespace hone
