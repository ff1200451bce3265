#include "config/writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/environment_variables.h"
#include "config/outline.h"
#include "config/scalars.h"

namespace hone {

namespace {

Node map_of(const std::vector<Entry>& fields);

Node component_node(const Entry::Element& element, bool in_list) {
  Node map = Node::map();
  map.add("kind", Node::scalar(element.kind));
  if (in_list || element.name != element.kind) map.add("name", Node::scalar(element.name));
  Node fields = map_of(element.fields);
  std::move(fields.entries.begin(), fields.entries.end(), std::back_inserter(map.entries));
  return map;
}

Node node_of(const Entry& entry) {
  if (entry.is_value()) return entry.value;
  if (entry.type == Entry::Type::section) return map_of(entry.fields);
  if (entry.type == Entry::Type::component) {
    return entry.elements.empty() ? Node() : component_node(entry.elements[0], false);
  }
  Node all = entry.type == Entry::Type::section_map ? Node::map() : Node::list();
  for (const Entry::Element& element : entry.elements) {
    if (entry.type == Entry::Type::section_map) {
      all.add(element.key, map_of(element.fields));
    } else {
      all.items.push_back(entry.type == Entry::Type::components ? component_node(element, true)
                                                                : map_of(element.fields));
    }
  }
  return all;
}

Node map_of(const std::vector<Entry>& fields) {
  Node map = Node::map();
  for (const Entry& entry : fields) map.add(entry.key, node_of(entry));
  return map;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Text that means itself without quotes, to every reader of YAML.
bool plain_is_safe(std::string_view text) {
  if (text.empty() || text.back() == ' ') return false;
  const bool starts_well = is_letter(text[0]) || text[0] == '_' || text[0] == '/' || text[0] == '.';
  const bool harmless = std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || std::string_view("_-./+@ ").find(c) != std::string_view::npos;
  });
  if (!starts_well || !harmless || text.starts_with("...") || parse_number(text)) return false;
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return is_letter(c) ? char(c | 0x20) : c; });
  constexpr std::string_view words[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf"};
  return std::find(std::begin(words), std::end(words), lower) == std::end(words);
}

std::string double_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      default:
        if (byte < 0x20 || byte == 0x7F) {
          out += fmt::format("\\x{:02x}", byte);
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

/// Keys know no environment variables.
std::string key_text(const std::string& key) { return plain_is_safe(key) ? key : double_quoted(key); }

std::string value_text(const std::string& text) { return key_text(escape_environment(text)); }

bool is_block(const Node& node) {
  const auto nested = [](const Node& child) { return child.is_map() || child.is_list(); };
  if (node.is_list()) return std::any_of(node.items.begin(), node.items.end(), nested);
  return node.is_map() && !node.entries.empty();
}

void append_block(std::string& out, const Node& node, std::size_t indent);

/// What follows `key:` or `-`.
void append_after(std::string& out, const Node& node, std::size_t indent, bool same_line) {
  if (!is_block(node)) {
    out += " " + to_yaml_line(node) + "\n";
  } else if (same_line) {
    std::string block;
    append_block(block, node, indent);
    out += " " + block.substr(indent);
  } else {
    out += "\n";
    append_block(out, node, indent);
  }
}

void append_block(std::string& out, const Node& node, std::size_t indent) {
  for (const Node::Entry& entry : node.entries) {
    out.append(indent, ' ').append(key_text(entry.key)).append(":");
    append_after(out, entry.value, indent + 2, false);
  }
  for (const Node& item : node.items) {
    out.append(indent, ' ').append("-");
    append_after(out, item, indent + 2, true);
  }
}

void compare(const Node& a, const Node& b, const std::string& path, std::vector<std::string>& paths) {
  if (a.type != b.type || a.text != b.text) {
    paths.push_back(path);
  } else if (a.is_map()) {
    for (const Node::Entry& entry : a.entries) {
      const Node* other = b.find(entry.key);
      if (other == nullptr) {
        paths.push_back(join_path(path, entry.key));
      } else {
        compare(entry.value, *other, join_path(path, entry.key), paths);
      }
    }
    for (const Node::Entry& entry : b.entries) {
      if (a.find(entry.key) == nullptr) paths.push_back(join_path(path, entry.key));
    }
  } else if (a.items.size() != b.items.size()) {
    paths.push_back(path);
  } else {
    for (std::size_t i = 0; i < a.items.size(); ++i) {
      compare(a.items[i], b.items[i], element_path(path, a.items[i], i), paths);
    }
  }
}

}  // namespace

Node resolved(const Catalogs& catalogs, const Fields::Body& describe) { return map_of(outline(catalogs, describe)); }

std::string to_yaml(const Node& node) {
  std::string out;
  append_block(out, node, 0);
  return out;
}

std::string to_yaml_line(const Node& node) {
  std::vector<std::string> parts;
  switch (node.type) {
    case Node::Type::null: return "null";
    case Node::Type::scalar: return node.quoted ? value_text(node.text) : node.text;
    case Node::Type::list:
      for (const Node& item : node.items) parts.push_back(to_yaml_line(item));
      return fmt::format("[{}]", fmt::join(parts, ", "));
    case Node::Type::map: break;
  }
  for (const Node::Entry& entry : node.entries) {
    parts.push_back(fmt::format("{}: {}", key_text(entry.key), to_yaml_line(entry.value)));
  }
  return fmt::format("{{{}}}", fmt::join(parts, ", "));
}

std::vector<std::string> differing_keys(const Node& a, const Node& b) {
  std::vector<std::string> paths;
  compare(a, b, "", paths);
  return paths;
}

}  // namespace hone
