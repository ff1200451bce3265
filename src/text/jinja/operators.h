#pragma once

#include "text/jinja/ast.h"
#include "text/jinja/value.h"

namespace hone::jinja {

/// The arithmetic of Python: `+` also joins texts and lists, `*` repeats them, `%` formats. Integers that leave 64 bits
/// are errors.
Value arithmetic(Runtime& runtime, Op op, Value a, Value b);
Value negative(Runtime& runtime, Value a);
Value positive(Runtime& runtime, Value a);
bool compares(Runtime& runtime, Op op, Value a, Value b);

/// Python's `format % values`.
Value percent_format(Runtime& runtime, const Str& format, Value values);
/// Python's str.format(); `named` are the keyword arguments.
Value brace_format(Runtime& runtime, const Str& format, std::span<const Value> positional, std::span<const Value> names,
                   std::span<const Value> named);

/// HTML-escaped text, marked safe; a safe text as it is.
const Str* escaped_html(Runtime& runtime, const Str& text);

/// a[b] and a.b as the sandbox gives them: undefined when there is nothing.
Value get_item(Runtime& runtime, Value object, Value key);
Value get_attribute(Runtime& runtime, Value object, const Str* name);
/// object[start:stop:step] with `none` for what is left out.
Value get_slice(Runtime& runtime, Value object, Value start, Value stop, Value step);

}  // namespace hone::jinja
