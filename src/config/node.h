#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// Where a value stands: in a file (line and column from 1) or on the command line (line 0).
struct Mark {
  std::shared_ptr<const std::string> source;
  int line = 0;
  int column = 0;
  std::string text() const;  ///< "run.yaml:3:5", "command line: model.dim=8"
};

/// A parsed YAML value with the place of every part. Keys are unique and keep the file's order; anchors, aliases and
/// `<<` are already resolved.
struct Node {
  enum class Type { null, scalar, list, map };
  struct Entry;

  Type type = Type::null;
  std::string text;     ///< of a scalar
  bool quoted = false;  ///< a scalar that can only be text
  Mark mark;
  std::vector<Node> items;     ///< of a list
  std::vector<Entry> entries;  ///< of a map

  static Node scalar(std::string text, bool quoted = false);
  static Node list();
  static Node map();

  bool is_null() const { return type == Type::null; }
  bool is_scalar() const { return type == Type::scalar; }
  bool is_list() const { return type == Type::list; }
  bool is_map() const { return type == Type::map; }

  /// The value at a key of a map, or nullptr (also when this is no map).
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  void add(std::string key, Node value);

  /// How an error message names this value: "'abc'", "a list", "nothing". Long text is cut.
  std::string found() const;
  /// What addresses this element of a list: its `name`, else its `kind`, else "".
  std::string element_name() const;
};

struct Node::Entry {
  std::string key;
  Mark key_mark;
  Node value;
};

/// "stages" + "ppo" = "stages.ppo"; an empty path gives the key alone.
std::string join_path(std::string_view path, std::string_view key);
/// Path of element `index` of the list at `path`: by name where it has one.
std::string element_path(std::string_view path, const Node& element, std::size_t index);
/// Quoted for a message, cut after about 60 bytes, line breaks escaped.
std::string quoted_for_message(std::string_view text, char quote = '\'');

}  // namespace hone
