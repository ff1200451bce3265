#pragma once

#include "text/jinja/call.h"

/// The filters of Jinja2, in groups; filters.cpp has the table.
namespace hone::jinja {

namespace filter {

// Of texts.
Value capitalize(Runtime&, Value, const Arguments&);
Value center(Runtime&, Value, const Arguments&);
Value escape(Runtime&, Value, const Arguments&);
Value forceescape(Runtime&, Value, const Arguments&);
Value format(Runtime&, Value, const Arguments&);
Value indent(Runtime&, Value, const Arguments&);
Value lower(Runtime&, Value, const Arguments&);
Value replace(Runtime&, Value, const Arguments&);
Value safe(Runtime&, Value, const Arguments&);
Value string(Runtime&, Value, const Arguments&);
Value striptags(Runtime&, Value, const Arguments&);
Value title(Runtime&, Value, const Arguments&);
Value tojson(Runtime&, Value, const Arguments&);
Value trim(Runtime&, Value, const Arguments&);
Value truncate(Runtime&, Value, const Arguments&);
Value upper(Runtime&, Value, const Arguments&);

// Of numbers and single values.
Value abs(Runtime&, Value, const Arguments&);
Value attr(Runtime&, Value, const Arguments&);
Value fallback(Runtime&, Value, const Arguments&);
Value integer(Runtime&, Value, const Arguments&);
Value real(Runtime&, Value, const Arguments&);
Value length(Runtime&, Value, const Arguments&);
Value round(Runtime&, Value, const Arguments&);

// Of sequences.
Value batch(Runtime&, Value, const Arguments&);
Value first(Runtime&, Value, const Arguments&);
Value items(Runtime&, Value, const Arguments&);
Value join(Runtime&, Value, const Arguments&);
Value last(Runtime&, Value, const Arguments&);
Value list(Runtime&, Value, const Arguments&);
Value reverse(Runtime&, Value, const Arguments&);
Value slice(Runtime&, Value, const Arguments&);
Value sum(Runtime&, Value, const Arguments&);

// Of sequences, by order.
Value dictsort(Runtime&, Value, const Arguments&);
Value groupby(Runtime&, Value, const Arguments&);
Value max(Runtime&, Value, const Arguments&);
Value min(Runtime&, Value, const Arguments&);
Value sort(Runtime&, Value, const Arguments&);
Value unique(Runtime&, Value, const Arguments&);

// Of sequences, by other filters and tests.
Value map(Runtime&, Value, const Arguments&);
Value reject(Runtime&, Value, const Arguments&);
Value rejectattr(Runtime&, Value, const Arguments&);
Value select(Runtime&, Value, const Arguments&);
Value selectattr(Runtime&, Value, const Arguments&);

}  // namespace filter

/// The attribute of an item that filters name: "a.b.0"; dots go deeper, digits are indices.
class AttributePath {
 public:
  /// `attribute` is a str, an int or none (the item itself).
  AttributePath(Runtime& runtime, Value attribute);
  /// `fallback` (unless none) stands for what is undefined.
  Value of(Value item, Value fallback = Value::none()) const;

 private:
  Runtime& runtime_;
  std::vector<Value> parts_;
};

/// Python's int() and float() of a text; false when it is none.
bool parse_integer(std::string_view text, int base, std::int64_t& value);
bool parse_real(std::string_view text, double& value);

}  // namespace hone::jinja
