#include "config/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/format.h"
#include "config/values.h"

namespace hone {

namespace {

class Reader : public Fields {
 public:
  Reader(const Catalogs& catalogs, Problems& problems) : Fields(catalogs), problems_(problems) {}

  /// Visits one map; nullptr when the file lacks it, so that only required keys matter. `reserved` keys are read by the
  /// caller.
  void read_map(const Node* map, const Mark& mark, const std::string& path, std::vector<std::string> reserved,
                const Body& body) {
    scopes_.push_back({.map = map, .mark = mark, .path = path, .keys = std::move(reserved)});
    body(*this);
    report_unknown_keys();
    if (!scopes_.back().failed) {
      for (const Rule& rule : std::exchange(scopes_.back().broken_rules, {})) {
        problem(rule.mark, rule.path, rule.message);
      }
    }
    const bool failed = scopes_.back().failed;
    scopes_.pop_back();
    if (failed && !scopes_.empty()) scopes_.back().failed = true;
  }

  void field(std::string_view key, bool& value, std::string_view) override { read(key, value); }
  void field(std::string_view key, std::int64_t& value, std::string_view, Range range) override {
    read(key, value, range);
  }
  void field(std::string_view key, double& value, std::string_view, Range range) override { read(key, value, range); }
  void field(std::string_view key, std::string& value, std::string_view) override { read(key, value); }
  void field(std::string_view key, Bytes& value, std::string_view, Range range) override { read(key, value, range); }
  void field(std::string_view key, Seconds& value, std::string_view, Range range) override { read(key, value, range); }
  void field(std::string_view key, std::vector<std::string>& value, std::string_view) override { read(key, value); }
  void field(std::string_view key, std::vector<std::int64_t>& value, std::string_view, Range range) override {
    read(key, value, range);
  }
  void field(std::string_view key, std::vector<double>& value, std::string_view, Range range) override {
    read(key, value, range);
  }
  void field(std::string_view key, std::optional<double>& value, std::string_view, Range range) override {
    read(key, value, range);
  }
  void field(std::string_view key, std::optional<std::int64_t>& value, std::string_view, Range range) override {
    read(key, value, range);
  }
  void field(std::string_view key, std::optional<std::string>& value, std::string_view) override { read(key, value); }
  void field(std::string_view key, std::vector<std::pair<std::string, std::string>>& value, std::string_view) override {
    read(key, value);
  }
  void field(std::string_view key, std::vector<std::pair<std::string, double>>& value, std::string_view) override {
    read(key, value);
  }

  void choice(std::string_view key, std::size_t& index, std::span<const std::string_view> names,
              std::string_view) override {
    const Node* node = look_up(key);
    if (node == nullptr) return;
    const auto place = std::find(names.begin(), names.end(), node->text);
    if (node->is_scalar() && place != names.end()) {
      index = static_cast<std::size_t>(place - names.begin());
      return;
    }
    const std::vector<std::string> words(names.begin(), names.end());
    const std::string near = node->is_scalar() ? nearest_word(node->text, words) : "";
    problem(node->mark, key_path(key),
            fmt::format("expected one of {}, got {}{}", fmt::join(names, ", "), node->found(),
                        near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }

  void section(std::string_view key, std::string_view, const Body& body) override {
    const Node* node = look_up(key);
    if (node != nullptr && node->is_null()) node = nullptr;
    if (node != nullptr && !expect(*node, Node::Type::map, key_path(key), "a map")) return;
    read_map(node, node == nullptr ? scopes_.back().mark : node->mark, key_path(key), {}, body);
  }

  void sections(std::string_view key, std::string_view, const Sections& list) override {
    const Node* node = look_up(key);
    const std::string path = key_path(key);
    if (node == nullptr || !expect(*node, Node::Type::list, path, "a list of maps")) return;
    list.clear();
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      list.add("");
      read_element(node->items[i], element_path(path, node->items[i], i), list, i);
    }
  }

  void section_map(std::string_view key, std::string_view, const Sections& map) override {
    const Node* node = look_up(key);
    const std::string path = key_path(key);
    if (node == nullptr || !expect(*node, Node::Type::map, path, "a map of maps")) return;
    map.clear();
    for (std::size_t i = 0; i < node->entries.size(); ++i) {
      map.add(node->entries[i].key);
      read_element(node->entries[i].value, join_path(path, node->entries[i].key), map, i);
    }
  }

  void component(std::string_view key, std::string_view, const Catalog& catalog, const Slot& slot) override {
    const Node* node = look_up(key);
    const std::string path = key_path(key);
    Component* present = slot.get();
    if (node == nullptr) {
      if (present != nullptr) read_component(nullptr, path, *present);
    } else if (node->is_null()) {
      slot.set(nullptr);
    } else if (present != nullptr && node->is_map() && node->find("kind") == nullptr) {
      present->name = present->kind;
      read_component(node, path, *present);
    } else if (auto made = make_component(*node, path, catalog)) {
      slot.set(std::move(made));
    }
  }

  void components(std::string_view key, std::string_view, const Catalog& catalog, const Slots& slots) override {
    const Node* node = look_up(key);
    const std::string path = key_path(key);
    if (node == nullptr || !expect(*node, Node::Type::list, path, fmt::format("a list, one {} each", catalog.noun))) {
      return;
    }
    slots.clear();
    std::map<std::string, Mark> names;
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      const Node& item = node->items[i];
      const std::string item_path = element_path(path, item, i);
      auto made = make_component(item, item_path, catalog);
      const std::string name = item.element_name();
      const auto [first, is_new] = names.try_emplace(name, item.mark);
      if (!is_new && !name.empty()) {
        problem(item.mark, item_path,
                fmt::format("expected a unique name, got '{}' again (first at {}); give this {} a `name:` of its own",
                            name, first->second.text(), catalog.noun));
      }
      if (made != nullptr) slots.add(std::move(made));
    }
  }

  void required() override {
    Scope& scope = scopes_.back();
    const std::string& key = scope.keys.back();
    if (scope.map != nullptr && scope.map->find(key) != nullptr) return;
    problem(scope.mark, key_path(key), "expected a value, got nothing: this key is required");
  }

  void check(bool holds, std::string_view key, std::string_view message) override {
    if (holds) return;
    Scope& scope = scopes_.back();
    const Node* node = scope.map == nullptr ? nullptr : scope.map->find(key);
    scope.broken_rules.push_back({node == nullptr ? scope.mark : node->mark, key_path(key), std::string(message)});
  }

 private:
  struct Rule {
    Mark mark;
    std::string path;
    std::string message;
  };
  struct Scope {
    const Node* map = nullptr;
    Mark mark;
    std::string path;
    std::vector<std::string> keys;  ///< all that are known here; the last one was visited last
    std::vector<Rule> broken_rules;
    bool failed = false;
  };

  std::string key_path(std::string_view key) const { return join_path(scopes_.back().path, key); }

  void problem(const Mark& mark, const std::string& path, const std::string& message) {
    problems_.add(mark, path, message);
    scopes_.back().failed = true;
  }

  Report report() {
    return
        [this](const Mark& mark, const std::string& path, const std::string& message) { problem(mark, path, message); };
  }

  const Node* look_up(std::string_view key) {
    Scope& scope = scopes_.back();
    HONE_ASSERT(std::find(scope.keys.begin(), scope.keys.end(), key) == scope.keys.end());
    scope.keys.emplace_back(key);
    return scope.map == nullptr ? nullptr : scope.map->find(key);
  }

  template <class T>
  void read(std::string_view key, T& value, const Range& range = {}) {
    if (const Node* node = look_up(key)) read_value({*node, key_path(key), range}, value, report());
  }

  bool expect(const Node& node, Node::Type type, const std::string& path, std::string_view what) {
    return expect_type(node, type, path, what, report());
  }

  void read_element(const Node& node, const std::string& path, const Sections& sections, std::size_t index) {
    if (!node.is_null() && !expect(node, Node::Type::map, path, "a map")) return;
    read_map(&node, node.mark, path, {}, [&](Fields& f) { sections.describe(f, index); });
  }

  void read_component(const Node* map, const std::string& path, Component& component) {
    if (const Node* name = map == nullptr ? nullptr : map->find("name")) {
      read_value({*name, join_path(path, "name"), {}}, component.name, report());
      check_name(*name, path, component.name);
    }
    read_map(map, map == nullptr ? scopes_.back().mark : map->mark, path, {"kind", "name"},
             [&](Fields& f) { component.describe(f); });
  }

  /// Names stand in dotted paths, metric names and folder names.
  void check_name(const Node& node, const std::string& path, const std::string& name) {
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    if (!node.is_scalar() || (plain && !name.empty())) return;
    problem(node.mark, join_path(path, "name"), fmt::format("expected letters, digits, _ and -, got {}", node.found()));
  }

  /// nullptr after reporting a problem with the kind.
  std::unique_ptr<Component> make_component(const Node& node, const std::string& path, const Catalog& catalog) {
    std::vector<std::string> kinds;
    for (const Catalog::Row& row : catalog.rows) kinds.push_back(row.kind);
    if (!node.is_map()) {
      const bool known = node.is_scalar() && catalog.find(node.text) != nullptr;
      problem(node.mark, path,
              fmt::format("expected a map with `kind:`, got {}{}", node.found(),
                          known ? fmt::format("; write {{kind: {}}}", node.text) : ""));
      return nullptr;
    }
    const Node* kind = node.find("kind");
    if (kind == nullptr) {
      problem(node.mark, join_path(path, "kind"),
              fmt::format("expected the kind of {}, got nothing; known: {}", catalog.noun, fmt::join(kinds, ", ")));
      return nullptr;
    }
    const Catalog::Row* row = kind->is_scalar() ? catalog.find(kind->text) : nullptr;
    if (row == nullptr) {
      const std::string hint = suggestion(kind->is_scalar() ? kind->text : "", kinds);
      problem(kind->mark, join_path(path, "kind"),
              fmt::format("expected a kind of {}, got {}{}", catalog.noun, kind->found(), hint));
      return nullptr;
    }
    auto made = row->make();
    made->kind = made->name = row->kind;
    read_component(&node, path, *made);
    return made;
  }

  void report_unknown_keys() {
    Scope& scope = scopes_.back();
    if (scope.map == nullptr) return;
    for (const Node::Entry& entry : scope.map->entries) {
      if (std::find(scope.keys.begin(), scope.keys.end(), entry.key) != scope.keys.end()) continue;
      problem(entry.key_mark, key_path(quotable(entry.key)), "unknown key" + suggestion(entry.key, scope.keys));
    }
  }

  /// A key as part of a path: cut, and quoted when it is not a plain word.
  static std::string quotable(const std::string& key) {
    const std::string quoted = quoted_for_message(key);
    const bool plain = quoted.size() == key.size() + 2 && key.find_first_of(" \t'\".") == key.npos;
    return plain ? key : quoted;
  }

  Problems& problems_;
  std::vector<Scope> scopes_;
};

}  // namespace

void read_fields(const Node& root, const Catalogs& catalogs, const Fields::Body& describe, Problems& problems) {
  Reader reader(catalogs, problems);
  reader.read_map(&root, root.mark, "", {}, describe);
}

}  // namespace hone
