#include "config/values.h"

#include <fmt/format.h>

#include "config/scalars.h"

namespace hone {

namespace {

std::string with_bounds(std::string_view what, const std::string& bounds) {
  return bounds.empty() ? std::string(what) : fmt::format("{} {}", what, bounds);
}

/// What would help a person who wrote this scalar.
std::string hint(const Node& node, bool parses) {
  if (node.is_scalar() && node.quoted && parses) return " (remove the quotes)";
  return "";
}

template <class T, class Parse, class Count>
void read_scalar(const Found& found, T& value, const std::string& expected, const Parse& parse, const Count& count,
                 const Report& report) {
  const auto parsed = found.node.is_scalar() ? parse(found.node.text) : std::nullopt;
  if (parsed && !found.node.quoted && found.range.contains(count(*parsed))) {
    value = *parsed;
    return;
  }
  report(found.node.mark, found.path,
         fmt::format("expected {}, got {}{}", expected, found.node.found(), hint(found.node, parsed.has_value())));
}

}  // namespace

bool expect_type(const Node& node, Node::Type type, const std::string& path, std::string_view what,
                 const Report& report) {
  if (node.type == type) return true;
  report(node.mark, path, fmt::format("expected {}, got {}", what, node.found()));
  return false;
}

void read_value(const Found& found, bool& value, const Report& report) {
  read_scalar(
      found, value, "true or false", parse_bool, [](bool) { return 0.0; }, report);
}

void read_value(const Found& found, std::int64_t& value, const Report& report) {
  read_scalar(
      found, value, with_bounds("an integer", found.range.text()), parse_integer,
      [](std::int64_t number) { return static_cast<double>(number); }, report);
}

void read_value(const Found& found, double& value, const Report& report) {
  read_scalar(
      found, value, with_bounds("a number", found.range.text()), parse_number, [](double number) { return number; },
      report);
}

void read_value(const Found& found, std::string& value, const Report& report) {
  if (!found.node.is_scalar()) {
    const std::string_view hint = found.node.is_null() ? " (write \"\" for empty text)" : "";
    report(found.node.mark, found.path, fmt::format("expected text, got {}{}", found.node.found(), hint));
    return;
  }
  value = found.node.text;
}

void read_value(const Found& found, Bytes& value, const Report& report) {
  read_scalar(
      found, value, with_bounds("a size such as 64MiB", byte_range_text(found.range)), parse_bytes,
      [](Bytes bytes) { return static_cast<double>(bytes.count); }, report);
}

void read_value(const Found& found, Seconds& value, const Report& report) {
  read_scalar(
      found, value, with_bounds("a time such as 90s or 5m", second_range_text(found.range)), parse_seconds,
      [](Seconds seconds) { return seconds.count; }, report);
}

}  // namespace hone
