#include "base/fields.h"

#include <cmath>

#include "base/error.h"

namespace hone {

bool Range::contains(double value) const {
  if (std::isnan(value)) return false;
  const bool above_low = open_low ? value > low : value >= low;
  const bool below_high = open_high ? value < high : value <= high;
  return above_low && below_high;
}

std::string Range::text() const {
  const bool has_low = std::isfinite(low);
  const bool has_high = std::isfinite(high);
  if (has_low && has_high) {
    return fmt::format("in {}{}, {}{}", open_low ? '(' : '[', low, high, open_high ? ')' : ']');
  }
  if (has_low) return fmt::format("{} {}", open_low ? ">" : "≥", low);
  if (has_high) return fmt::format("{} {}", open_high ? "<" : "≤", high);
  return "";
}

const Catalog::Row* Catalog::find(std::string_view kind) const {
  for (const Row& row : rows) {
    if (row.kind == kind) return &row;
  }
  return nullptr;
}

const Catalog& Catalogs::of(std::type_index type) const {
  for (const auto& [known, catalog] : rows_) {
    if (known == type) return catalog;
  }
  fail(ErrorKind::internal, "no catalog was added for components of type {}", type.name());
}

}  // namespace hone
