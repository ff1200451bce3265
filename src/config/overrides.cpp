#include "config/overrides.h"

#include <fmt/format.h>

#include <charconv>

#include "base/format.h"
#include "config/document.h"

namespace hone {

namespace {

void set_marks(Node& node, const Mark& mark) {
  node.mark = mark;
  for (Node& item : node.items) set_marks(item, mark);
  for (Node::Entry& entry : node.entries) {
    entry.key_mark = mark;
    set_marks(entry.value, mark);
  }
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  for (;;) {
    const auto dot = path.find('.');
    parts.emplace_back(path.substr(0, dot));
    if (dot == path.npos) return parts;
    path.remove_prefix(dot + 1);
  }
}

Node* element(Node& list, const std::string& part) {
  for (Node& item : list.items) {
    if (item.element_name() == part) return &item;
  }
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  const bool number = error == std::errc() && end == part.data() + part.size();
  return number && index < list.items.size() ? &list.items[index] : nullptr;
}

/// The value one part further down, made when a map lacks it; nullptr after reporting a problem.
Node* step(Node& at, const std::string& path, const std::string& part, const Mark& mark, Problems& problems) {
  if (at.is_null()) {
    at = Node::map();
    at.mark = mark;
  }
  if (at.is_map()) {
    if (Node* value = at.find(part)) return value;
    Node made;
    made.mark = mark;
    at.add(part, std::move(made));
    return &at.entries.back().value;
  }
  if (at.is_list()) {
    if (Node* item = element(at, part)) return item;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < at.items.size(); ++i) {
      const std::string name = at.items[i].element_name();
      names.push_back(name.empty() ? fmt::format("{}", i) : name);
    }
    problems.add(mark, join_path(path, part),
                 fmt::format("no such element in the list at {}{}", at.mark.text(), suggestion(part, names)));
    return nullptr;
  }
  problems.add(mark, join_path(path, part),
               fmt::format("'{}' is {} at {}, it has no keys", path, at.found(), at.mark.text()));
  return nullptr;
}

}  // namespace

void apply_override(Node& root, const std::string& override_text, Problems& problems) {
  const std::string source = "command line: " + override_text;
  const Mark mark{std::make_shared<const std::string>(source), 0, 0};
  const auto equals = override_text.find('=');
  const auto parts = split_path(std::string_view(override_text).substr(0, equals));
  bool empty_part = false;
  for (const std::string& part : parts) empty_part = empty_part || part.empty();
  if (equals == std::string::npos || empty_part) {
    problems.add(mark, "", "expected key.path=value");
    return;
  }
  const std::size_t before = problems.size();
  Node value = parse_document(std::string_view(override_text).substr(equals + 1), source, problems);
  if (problems.size() > before) return;
  set_marks(value, mark);
  Node* at = &root;
  std::string path;
  for (const std::string& part : parts) {
    at = step(*at, path, part, mark, problems);
    if (at == nullptr) return;
    path = join_path(path, part);
  }
  *at = std::move(value);
}

void apply_overrides(Node& root, std::span<const std::string> overrides, Problems& problems) {
  for (const std::string& one : overrides) apply_override(root, one, problems);
}

}  // namespace hone
