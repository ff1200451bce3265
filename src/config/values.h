#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "config/node.h"

namespace hone {

using Report = std::function<void(const Mark& mark, const std::string& path, const std::string& message)>;

/// Where a value was found and what bounds it has.
struct Found {
  const Node& node;
  std::string path;
  Range range;
};

/// Each reads one value; what does not fit goes to `report` ("expected …, got …") and leaves `value` as it was.
void read_value(const Found& found, bool& value, const Report& report);
void read_value(const Found& found, std::int64_t& value, const Report& report);
void read_value(const Found& found, double& value, const Report& report);
void read_value(const Found& found, std::string& value, const Report& report);
void read_value(const Found& found, Bytes& value, const Report& report);
void read_value(const Found& found, Seconds& value, const Report& report);

/// `null` means not set.
template <class T>
void read_value(const Found& found, std::optional<T>& value, const Report& report) {
  if (found.node.is_null()) {
    value.reset();
    return;
  }
  T read{};
  read_value(found, read, report);
  value = std::move(read);
}

/// "expected …, got …" unless the node has the type.
bool expect_type(const Node& node, Node::Type type, const std::string& path, std::string_view what,
                 const Report& report);

template <class T>
void read_value(const Found& found, std::vector<T>& value, const Report& report) {
  if (!expect_type(found.node, Node::Type::list, found.path, "a list", report)) return;
  value.clear();
  for (std::size_t i = 0; i < found.node.items.size(); ++i) {
    T item{};
    read_value({found.node.items[i], join_path(found.path, std::to_string(i)), found.range}, item, report);
    value.push_back(std::move(item));
  }
}

template <class T>
void read_value(const Found& found, std::vector<std::pair<std::string, T>>& value, const Report& report) {
  if (!expect_type(found.node, Node::Type::map, found.path, "a map", report)) return;
  value.clear();
  for (const Node::Entry& entry : found.node.entries) {
    T item{};
    read_value({entry.value, join_path(found.path, entry.key), found.range}, item, report);
    value.emplace_back(entry.key, std::move(item));
  }
}

}  // namespace hone
