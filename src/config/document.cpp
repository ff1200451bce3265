#include "config/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <unordered_set>

#include "base/error.h"
#include "base/utf8.h"
#include "config/yaml_text.h"

namespace hone {

namespace {

using Source = std::shared_ptr<const std::string>;

struct Extent {
  std::size_t values;
  std::size_t depth;
};

Extent extent(const Node& node) {
  Extent all{1, node.is_list() || node.is_map() ? std::size_t{1} : std::size_t{0}};
  const auto include = [&all](const Node& child) {
    const Extent one = extent(child);
    all.values += one.values;
    all.depth = std::max(all.depth, one.depth + 1);
  };
  for (const Node& item : node.items) include(item);
  for (const Node::Entry& entry : node.entries) include(entry.value);
  return all;
}

/// Builds the tree from events. yaml-cpp's parser recurses once a level between two events, so refusing depth here
/// bounds its stack as well.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(Source source, std::string_view text, Problems& problems)
      : source_(std::move(source)), text_(text), problems_(problems) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) problems_.stop(place(mark), "", "expected one YAML document, got a second one ('---')");
    started_ = true;
  }
  void OnDocumentEnd() override {
    if (quote_is_closed(text_, last_scalar_offset_)) return;
    problems_.stop(last_scalar_, "", "not valid YAML: the quote that opens here is never closed");
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.mark = place(mark);
    if (!open_.empty() && open_.back().has_key) {
      // A value that is not written at all is marked with whatever token comes next.
      const Mark& key = open_.back().key_mark;
      if (node.mark.line != key.line || node.mark.column < key.column) node.mark = key;
    }
    finish(std::move(node), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = Node::scalar(value, tag == "!" || tag == "tag:yaml.org,2002:str");
    node.mark = last_scalar_ = place(mark);
    last_scalar_offset_ = static_cast<std::size_t>(mark.pos);
    const bool number = tag == "tag:yaml.org,2002:int" || tag == "tag:yaml.org,2002:float";
    if (!node.quoted && !number && tag != "tag:yaml.org,2002:bool") refuse_tag(tag, node.mark);
    finish(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto place_of_anchor = anchors_.find(anchor);
    if (place_of_anchor == anchors_.end()) {
      problems_.stop(place(mark), path(), "this alias stands inside the value that it names");
    }
    const Extent size = extent(place_of_anchor->second);
    if (open_.size() + size.depth > max_document_depth) too_deep(place(mark));
    count(size.values, place(mark));
    attach(place_of_anchor->second);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    if (tag != "tag:yaml.org,2002:seq") refuse_tag(tag, place(mark));
    open(Node::list(), mark, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    if (tag != "tag:yaml.org,2002:map") refuse_tag(tag, place(mark));
    open(Node::map(), mark, anchor);
  }
  void OnMapEnd() override {
    merge(open_.back());
    close();
  }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor;
    std::unordered_set<std::string> keys;
    std::vector<Node> merges;
    std::string key;  ///< waits for its value
    Mark key_mark;
    bool has_key = false;
    bool key_merges = false;
  };

  Mark place(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

  std::string path() const {
    std::string path;
    for (const Frame& frame : open_) {
      if (frame.node.is_list()) path = join_path(path, fmt::format("{}", frame.node.items.size()));
      else if (frame.has_key) path = join_path(path, frame.key);
    }
    return path;
  }

  void refuse_tag(const std::string& tag, const Mark& mark) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    problems_.add(mark, path(), fmt::format("tags such as {} are not supported", quoted_for_message(tag)));
  }

  [[noreturn]] void too_deep(const Mark& mark) {
    problems_.stop(mark, "", fmt::format("lists and maps are nested deeper than {} levels", max_document_depth));
  }

  void count(std::size_t values, const Mark& mark) {
    values_ += values;
    if (values_ <= max_document_values) return;
    problems_.stop(mark, "",
                   fmt::format("the file expands to more than {} values (anchors and aliases multiply them)",
                               max_document_values));
  }

  void open(Node node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    node.mark = place(mark);
    if (open_.size() >= max_document_depth) too_deep(node.mark);
    if (!open_.empty() && open_.back().node.is_map() && !open_.back().has_key) {
      // Unclosed brackets look like a key to yaml-cpp.
      const std::size_t levels = max_document_depth - open_.size();
      if (brackets_nest_deeper(text_, static_cast<std::size_t>(mark.pos), levels)) too_deep(node.mark);
      problems_.stop(node.mark, path(), fmt::format("expected a key, got {}", node.is_list() ? "a list" : "a map"));
    }
    open_.push_back({.node = std::move(node), .anchor = anchor});
  }

  void close() {
    Frame frame = std::move(open_.back());
    open_.pop_back();
    finish(std::move(frame.node), frame.anchor);
  }

  void finish(Node node, YAML::anchor_t anchor) {
    count(1, node.mark);
    if (anchor != YAML::NullAnchor) {
      count(extent(node).values, node.mark);
      anchors_[anchor] = node;
    }
    attach(std::move(node));
  }

  void attach(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (Frame& parent = open_.back(); parent.node.is_list()) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      take_key(parent, std::move(node));
    } else {
      take_value(parent, std::move(node));
    }
  }

  void take_key(Frame& map, Node key) {
    if (!key.is_scalar()) problems_.stop(key.mark, path(), fmt::format("expected a key, got {}", key.found()));
    map.key_merges = key.text == "<<" && !key.quoted;
    map.key = std::move(key.text);
    map.key_mark = key.mark;
    map.has_key = true;
  }

  void take_value(Frame& map, Node value) {
    if (map.key_merges) {
      take_merge(map, std::move(value));
    } else if (map.keys.insert(map.key).second) {
      map.node.entries.push_back({map.key, map.key_mark, std::move(value)});
    } else {
      const auto same = [&](const Node::Entry& entry) { return entry.key == map.key; };
      const Mark first = std::find_if(map.node.entries.begin(), map.node.entries.end(), same)->key_mark;
      problems_.add(map.key_mark, path(), fmt::format("duplicate key, first used in line {}", first.line));
    }
    map.has_key = false;
  }

  void take_merge(Frame& map, Node value) {
    const bool maps = value.is_list() && std::all_of(value.items.begin(), value.items.end(),
                                                     [](const Node& item) { return item.is_map(); });
    if (value.is_map()) {
      map.merges.push_back(std::move(value));
    } else if (maps) {
      for (Node& item : value.items) map.merges.push_back(std::move(item));
    } else {
      problems_.add(value.mark, path(),
                    fmt::format("expected a map or a list of maps to merge, got {}", value.found()));
    }
  }

  /// Keys of the map itself win over merged ones, earlier merged maps over later ones.
  static void merge(Frame& map) {
    for (Node& merged : map.merges) {
      for (Node::Entry& entry : merged.entries) {
        if (map.keys.insert(entry.key).second) map.node.entries.push_back(std::move(entry));
      }
    }
  }

  Source source_;
  std::string_view text_;
  Problems& problems_;
  Node root_;
  std::vector<Frame> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  Mark last_scalar_;
  std::size_t last_scalar_offset_ = 0;
  std::size_t values_ = 0;
  bool started_ = false;
};

Mark mark_at(const Source& source, std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line_start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  const auto lines = std::count(before.begin(), before.end(), '\n');
  return {source, static_cast<int>(lines) + 1, static_cast<int>(utf8_length(before.substr(line_start))) + 1};
}

void require_text(std::string_view text, const Source& source, Problems& problems) {
  if (text.size() > max_document_bytes) {
    problems.stop({source, 1, 1}, "",
                  fmt::format("expected at most {} bytes, got {}", max_document_bytes, text.size()));
  }
  const std::size_t offset = first_byte_that_is_not_text(text);
  if (offset == text.npos) return;
  problems.stop(mark_at(source, text, offset), "",
                fmt::format("expected UTF-8 text, got byte 0x{:02x} at offset {}{}",
                            static_cast<unsigned>(static_cast<unsigned char>(text[offset])), offset,
                            text.find('\0') != text.npos ? " (a binary file?)" : ""));
}

}  // namespace

Node parse_document(std::string_view text, const std::string& source, Problems& problems) {
  const auto name = std::make_shared<const std::string>(source);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  require_text(text, name, problems);
  TreeBuilder builder(name, text, problems);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    const bool placed = !error.mark.is_null();
    const Mark mark = placed ? Mark{name, error.mark.line + 1, error.mark.column + 1} : Mark{name, 1, 1};
    problems.stop(mark, "", fmt::format("not valid YAML: {}", error.msg));
  }
  Node root = builder.take();
  if (root.mark.source == nullptr) root.mark = {name, 1, 1};
  return root;
}

FileText read_file_text(const std::filesystem::path& path) {
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) return {"", "it is a directory"};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return {"", std::strerror(errno)};
  std::string text(max_document_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return {"", std::strerror(errno)};
  text.resize(static_cast<std::size_t>(file.gcount()));
  return {std::move(text), ""};
}

Node read_document(const std::filesystem::path& path, Problems& problems) {
  const FileText file = read_file_text(path);
  if (!file.failure.empty()) {
    fail(ErrorKind::config, "{}: cannot read the configuration file: {}", path.string(), file.failure);
  }
  return parse_document(file.text, path.string(), problems);
}

}  // namespace hone
