#pragma once

#include <string_view>
#include <vector>

#include "text/jinja/text.h"
#include "text/jinja/value.h"

/// What Python's str methods do, shared by methods and filters. Marks follow their bytes.
namespace hone::jinja {

/// Where `wanted` begins at or behind `from`, or npos: in linear time, whatever the texts are.
std::size_t find_text(std::string_view text, std::string_view wanted, std::size_t from = 0);
/// The last place, or npos; charges its worst case, which is not linear.
std::size_t find_last_text(Runtime& runtime, std::string_view text, std::string_view wanted);

/// strip() at the left, the right or both ends; `characters` none: white space.
const Str* strip(Runtime& runtime, const Str& text, Value characters, bool left, bool right);

/// The first `count` (< 0: all) occurrences. What replaces data is data: input cannot choose where a template's own text
/// appears.
const Str* replaced(Runtime& runtime, const Str& text, const Str& old, const Str& by, std::int64_t count);

enum class Case { lower, upper, title, capitalize, swap };
const Str* with_case(Runtime& runtime, const Str& text, Case how);

/// Pieces between white space (`separator` none) or a separator, cut at most `most` times (< 0: everywhere) from the
/// left, or from the right.
std::vector<Value> split(Runtime& runtime, const Str& text, Value separator, std::int64_t most, bool from_right);
std::vector<Value> split_lines(Runtime& runtime, const Str& text, bool keep_ends);

const Str* join(Runtime& runtime, const Str& separator, std::span<const Value> items, bool convert);

/// `text` with spaces (or `fill`) around it up to `width` code points.
enum class Justify { left, center, right };
const Str* justified(Runtime& runtime, const Str& text, std::int64_t width, const Str& fill, Justify where);

}  // namespace hone::jinja
