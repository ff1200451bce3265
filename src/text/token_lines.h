#pragma once

#include "text/tokenizer.h"

#include <iosfwd>

namespace hone {

/// How `encode_lines` reads and writes.
struct TokenLinesOptions {
  AddSpecial add = AddSpecial::no;
  SpecialTokens special = SpecialTokens::as_text;
  bool offsets = false;  ///< objects {"ids", "type_ids", "offsets"} instead of arrays of ids
};

/// JSON lines of strings, or of pairs of strings, to JSON lines of ids. Offsets are [begin, end) in bytes. Error{data}
/// names the line.
void encode_lines(const Tokenizer& tokenizer, std::istream& in, std::ostream& out, const TokenLinesOptions& options);

/// JSON lines of arrays of ids to JSON lines of strings. Error{data} names the line.
void decode_lines(const Tokenizer& tokenizer, std::istream& in, std::ostream& out, SkipSpecial skip);

}  // namespace hone
