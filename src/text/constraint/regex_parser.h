#pragma once

#include <string_view>

#include "text/constraint/regex_tree.h"

namespace hone {

/// Reads a regular expression that describes a whole text: it need not be anchored, and `^` at the beginning and `$` at
/// the end of an alternative outside groups change nothing.
///
/// Literals; `.` (all but the line feed); classes with ranges and negation; `\d \w \s` and `\D \W \S` (ASCII, as in
/// PCRE2 and ECMAScript); `\p{L}` and `\P{L}`; `\t \n \r \f \v \a \e \0 \xHH \x{H…} \uHHHH`; groups `(…)`, `(?:…)`,
/// `(?<name>…)`,
/// `(?P<name>…)`; alternation; `* + ? {m} {m,} {m,n}`, also lazy (which describes the same texts). A `{` that begins no
/// quantifier stands for itself. Error{config} names what is refused (lookaround, backreferences, word boundaries,
/// atomic groups, flags, …) and its byte.
RegexNode parse_regex(std::string_view pattern);

}  // namespace hone
