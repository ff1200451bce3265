#include "config/outline.h"

#include "base/error.h"
#include "config/scalars.h"

namespace hone {

namespace {

using Type = Entry::Type;

template <class T>
Node node_of(const T& value) {
  return Node::scalar(text_of(value));
}
Node node_of(const std::string& value) { return Node::scalar(value, true); }

template <class T>
Node node_of(const std::optional<T>& value) {
  return value ? node_of(*value) : Node();
}

template <class T>
Node node_of(const std::vector<T>& values) {
  Node list = Node::list();
  for (const T& value : values) list.items.push_back(node_of(value));
  return list;
}

template <class T>
Node node_of(const std::vector<std::pair<std::string, T>>& values) {
  Node map = Node::map();
  for (const auto& [key, value] : values) map.add(key, node_of(value));
  return map;
}

class Outliner : public Fields {
 public:
  explicit Outliner(const Catalogs& catalogs) : Fields(catalogs) {}

  std::vector<Entry> take() { return std::move(entries_); }

  void field(std::string_view key, bool& value, std::string_view doc) override { add(key, doc, Type::boolean, value); }
  void field(std::string_view key, std::int64_t& value, std::string_view doc, Range range) override {
    add(key, doc, Type::integer, value, range);
  }
  void field(std::string_view key, double& value, std::string_view doc, Range range) override {
    add(key, doc, Type::number, value, range);
  }
  void field(std::string_view key, std::string& value, std::string_view doc) override {
    add(key, doc, Type::text, value);
  }
  void field(std::string_view key, Bytes& value, std::string_view doc, Range range) override {
    add(key, doc, Type::bytes, value, range);
  }
  void field(std::string_view key, Seconds& value, std::string_view doc, Range range) override {
    add(key, doc, Type::seconds, value, range);
  }
  void field(std::string_view key, std::vector<std::string>& value, std::string_view doc) override {
    add(key, doc, Type::texts, value);
  }
  void field(std::string_view key, std::vector<std::int64_t>& value, std::string_view doc, Range range) override {
    add(key, doc, Type::integers, value, range);
  }
  void field(std::string_view key, std::vector<double>& value, std::string_view doc, Range range) override {
    add(key, doc, Type::numbers, value, range);
  }
  void field(std::string_view key, std::optional<double>& value, std::string_view doc, Range range) override {
    add(key, doc, Type::number, value, range).optional = true;
  }
  void field(std::string_view key, std::optional<std::int64_t>& value, std::string_view doc, Range range) override {
    add(key, doc, Type::integer, value, range).optional = true;
  }
  void field(std::string_view key, std::optional<std::string>& value, std::string_view doc) override {
    add(key, doc, Type::text, value).optional = true;
  }
  void field(std::string_view key, std::vector<std::pair<std::string, std::string>>& value,
             std::string_view doc) override {
    add(key, doc, Type::text_map, value);
  }
  void field(std::string_view key, std::vector<std::pair<std::string, double>>& value, std::string_view doc) override {
    add(key, doc, Type::number_map, value);
  }

  void choice(std::string_view key, std::size_t& index, std::span<const std::string_view> names,
              std::string_view doc) override {
    HONE_ASSERT(index < names.size());
    Entry& entry = add(key, doc, Type::choice);
    entry.names.assign(names.begin(), names.end());
    entry.value = Node::scalar(entry.names[index]);
  }

  void section(std::string_view key, std::string_view doc, const Body& body) override {
    add(key, doc, Type::section).fields = visit(body);
  }

  void sections(std::string_view key, std::string_view doc, const Sections& list) override {
    add_sections(key, doc, Type::sections, list);
  }
  void section_map(std::string_view key, std::string_view doc, const Sections& map) override {
    add_sections(key, doc, Type::section_map, map);
  }

  void component(std::string_view key, std::string_view doc, const Catalog& catalog, const Slot& slot) override {
    Entry entry{.key = std::string(key), .doc = std::string(doc), .type = Type::component, .optional = true};
    entry.catalog = &catalog;
    if (Component* present = slot.get()) entry.elements.push_back(element_of(*present));
    entries_.push_back(std::move(entry));
  }

  void components(std::string_view key, std::string_view doc, const Catalog& catalog, const Slots& slots) override {
    Entry entry{.key = std::string(key), .doc = std::string(doc), .type = Type::components};
    entry.catalog = &catalog;
    for (std::size_t i = 0; i < slots.size(); ++i) entry.elements.push_back(element_of(*slots.get(i)));
    entries_.push_back(std::move(entry));
  }

  void required() override { entries_.back().required = true; }

 private:
  std::vector<Entry> visit(const Body& body) const {
    Outliner inner(catalogs());
    body(inner);
    return inner.take();
  }

  Entry& add(std::string_view key, std::string_view doc, Type type) {
    entries_.push_back({.key = std::string(key), .doc = std::string(doc), .type = type});
    return entries_.back();
  }

  template <class T>
  Entry& add(std::string_view key, std::string_view doc, Type type, const T& value, const Range& range = {}) {
    Entry& entry = add(key, doc, type);
    entry.range = range;
    entry.value = node_of(value);
    return entry;
  }

  void add_sections(std::string_view key, std::string_view doc, Type type, const Sections& sections) {
    Entry entry{.key = std::string(key), .doc = std::string(doc), .type = type};
    entry.fields = visit(sections.describe_default);
    for (std::size_t i = 0; i < sections.size(); ++i) {
      entry.elements.push_back({.key = sections.key(i), .fields = visit([&](Fields& f) { sections.describe(f, i); })});
    }
    entries_.push_back(std::move(entry));
  }

  Entry::Element element_of(Component& component) const {
    HONE_ASSERT(!component.kind.empty());  // a default component needs its kind, or its dump could not be read
    const std::string& name = component.name.empty() ? component.kind : component.name;
    return {.kind = component.kind, .name = name, .fields = visit([&](Fields& f) { component.describe(f); })};
  }

  std::vector<Entry> entries_;
};

}  // namespace

std::vector<Entry> outline(const Catalogs& catalogs, const Fields::Body& describe) {
  Outliner outliner(catalogs);
  describe(outliner);
  return outliner.take();
}

std::vector<Entry> outline(const Catalogs& catalogs, const Catalog::Row& row) {
  const auto component = row.make();
  return outline(catalogs, [&](Fields& f) { component->describe(f); });
}

}  // namespace hone
