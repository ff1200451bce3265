#include "config/node.h"

#include <fmt/format.h>

#include <utility>

#include "base/utf8.h"

namespace hone {

std::string Mark::text() const {
  const std::string_view name = source == nullptr ? std::string_view("defaults") : std::string_view(*source);
  return line == 0 ? std::string(name) : fmt::format("{}:{}:{}", name, line, column);
}

Node Node::scalar(std::string text, bool quoted) {
  Node node;
  node.type = Type::scalar;
  node.text = std::move(text);
  node.quoted = quoted;
  return node;
}

Node Node::list() {
  Node node;
  node.type = Type::list;
  return node;
}

Node Node::map() {
  Node node;
  node.type = Type::map;
  return node;
}

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

void Node::add(std::string key, Node value) {
  const Mark mark = value.mark;
  entries.push_back({std::move(key), mark, std::move(value)});
}

std::string Node::found() const {
  switch (type) {
    case Type::null: return "nothing";
    case Type::list: return items.empty() ? "an empty list" : "a list";
    case Type::map: return entries.empty() ? "an empty map" : "a map";
    case Type::scalar: break;
  }
  return quoted ? "text " + quoted_for_message(text, '"') : quoted_for_message(text);
}

std::string Node::element_name() const {
  for (const std::string_view key : {"name", "kind"}) {
    if (const Node* value = find(key); value != nullptr && value->is_scalar()) return value->text;
  }
  return "";
}

std::string join_path(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string element_path(std::string_view path, const Node& element, std::size_t index) {
  const std::string name = element.element_name();
  return join_path(path, name.empty() ? fmt::format("{}", index) : name);
}

std::string quoted_for_message(std::string_view text, char quote) {
  constexpr std::size_t longest = 60;
  std::string shown(1, quote);
  for (const char c : valid_utf8(text.substr(0, longest))) {
    if (c == '\n') {
      shown += "\\n";
    } else if (c == '\r') {
      shown += "\\r";
    } else {
      shown += c;
    }
  }
  if (text.size() > longest) shown += "…";
  return shown + quote;
}

}  // namespace hone
