#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>
#include <vector>

/// One declaration a configuration field. A config struct lists its fields once:
///
///     struct SamplingConfig {
///       double temperature = 1.0;
///       void describe(Fields& f) { f.field("temperature", temperature, "Divides the logits.", at_least(0.0)); }
///     };
///
/// and a visitor derives everything else from that list: reading YAML, printing the resolved file, `--help`, the JSON
/// Schema and docs/config.md (all in src/config). The member's initialiser is the default.
namespace hone {

class Fields;

/// Bounds of a number; by default none.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open_low = false;   ///< low itself is not allowed
  bool open_high = false;  ///< high itself is not allowed
  bool contains(double value) const;
  std::string text() const;  ///< "≥ 0", "in (0, 1]"
};
inline Range at_least(double low) { return {.low = low}; }
inline Range above(double low) { return {.low = low, .open_low = true}; }
inline Range between(double low, double high) { return {.low = low, .high = high}; }

/// A number of bytes, written `64MiB`, `2GB` or `4096`.
struct Bytes {
  std::int64_t count = 0;
};
/// A length of time, written `90s`, `5m`, `1.5h` or `30` (seconds).
struct Seconds {
  double count = 0;
};

/// What a configuration file chooses by `kind:` (a reward, an environment, a policy, a stage). `kind` and `name` are
/// filled by the reader; `name` defaults to `kind`.
class Component {
 public:
  virtual ~Component() = default;
  virtual void describe(Fields& f) = 0;
  std::string kind;
  std::string name;
};

/// The kinds of one sort of component: the rows of the table in src/app.
struct Catalog {
  struct Row {
    std::string kind;
    std::string doc;  ///< one line
    std::unique_ptr<Component> (*make)();
  };
  std::string noun;  ///< "reward", "environment"
  std::vector<Row> rows;
  const Row* find(std::string_view kind) const;
};

/// Every catalog, looked up by the base class of its components.
class Catalogs {
 public:
  template <class Spec>
  void add(Catalog catalog) {
    rows_.emplace_back(std::type_index(typeid(Spec)), std::move(catalog));
  }
  template <class Spec>
  const Catalog& of() const {
    return of(std::type_index(typeid(Spec)));
  }
  std::span<const std::pair<std::type_index, Catalog>> rows() const { return rows_; }

 private:
  const Catalog& of(std::type_index type) const;
  std::vector<std::pair<std::type_index, Catalog>> rows_;
};

/// A visitor over the fields of a config struct. Fields keep the order in which `describe` names them.
class Fields {
 public:
  using Body = std::function<void(Fields&)>;
  /// A list or map of sections, seen without its element type.
  struct Sections {
    std::function<std::size_t()> size;
    std::function<void()> clear;
    std::function<void(Fields&, std::size_t)> describe;  ///< of element i
    std::function<std::string(std::size_t)> key;         ///< of element i of a map
    std::function<void(const std::string& key)> add;     ///< appends a default element (key: maps only)
    Body describe_default;                               ///< of an element that nobody set, for schema and docs
  };
  /// A place that holds one component (or none), seen without its type.
  struct Slot {
    std::function<Component*()> get;
    std::function<void(std::unique_ptr<Component>)> set;
  };
  struct Slots {
    std::function<std::size_t()> size;
    std::function<void()> clear;
    std::function<Component*(std::size_t)> get;
    std::function<void(std::unique_ptr<Component>)> add;
  };

  explicit Fields(const Catalogs& catalogs) : catalogs_(&catalogs) {}
  virtual ~Fields() = default;

  virtual void field(std::string_view key, bool& value, std::string_view doc) = 0;
  virtual void field(std::string_view key, std::int64_t& value, std::string_view doc, Range range = {}) = 0;
  virtual void field(std::string_view key, double& value, std::string_view doc, Range range = {}) = 0;
  virtual void field(std::string_view key, std::string& value, std::string_view doc) = 0;
  virtual void field(std::string_view key, Bytes& value, std::string_view doc, Range range = {}) = 0;
  virtual void field(std::string_view key, Seconds& value, std::string_view doc, Range range = {}) = 0;
  virtual void field(std::string_view key, std::vector<std::string>& value, std::string_view doc) = 0;
  virtual void field(std::string_view key, std::vector<std::int64_t>& value, std::string_view doc, Range range = {}) = 0;
  virtual void field(std::string_view key, std::vector<double>& value, std::string_view doc, Range range = {}) = 0;
  /// Absent or `null` means not set.
  virtual void field(std::string_view key, std::optional<double>& value, std::string_view doc, Range range = {}) = 0;
  virtual void field(std::string_view key, std::optional<std::int64_t>& value, std::string_view doc,
                     Range range = {}) = 0;
  virtual void field(std::string_view key, std::optional<std::string>& value, std::string_view doc) = 0;
  /// A map of free keys to strings (`columns: {text: sentence}`), in the file's order.
  virtual void field(std::string_view key, std::vector<std::pair<std::string, std::string>>& value,
                     std::string_view doc) = 0;
  virtual void field(std::string_view key, std::vector<std::pair<std::string, double>>& value, std::string_view doc) = 0;
  /// One of `names`; index is the position of the current one.
  virtual void choice(std::string_view key, std::size_t& index, std::span<const std::string_view> names,
                      std::string_view doc) = 0;
  virtual void section(std::string_view key, std::string_view doc, const Body& body) = 0;
  virtual void sections(std::string_view key, std::string_view doc, const Sections& list) = 0;  ///< YAML list
  virtual void section_map(std::string_view key, std::string_view doc, const Sections& map) = 0;
  virtual void component(std::string_view key, std::string_view doc, const Catalog& catalog, const Slot& slot) = 0;
  /// Each element has a unique name; a repeated name is an error at that element.
  virtual void components(std::string_view key, std::string_view doc, const Catalog& catalog, const Slots& slots) = 0;
  /// The field named last must be written in the file; it has no default.
  virtual void required() {}
  /// A rule between fields, stated after them: when `holds` is false the reader reports `message` at `key`.
  virtual void check(bool holds, std::string_view key, std::string_view message) {
    (void)holds, (void)key, (void)message;
  }

  /// An enum, with `constexpr std::array<std::string_view, n> names` in the order of its enumerators.
  template <class Enum, class Names>
  void choice(std::string_view key, Enum& value, const Names& names, std::string_view doc) {
    auto index = static_cast<std::size_t>(value);
    choice(key, index, std::span<const std::string_view>(names), doc);
    value = static_cast<Enum>(index);
  }
  template <class Config>
  void section(std::string_view key, Config& config, std::string_view doc) {
    section(key, doc, Body([&config](Fields& f) { config.describe(f); }));
  }
  template <class Config>
  void sections(std::string_view key, std::vector<Config>& list, std::string_view doc);
  template <class Config>
  void section_map(std::string_view key, std::vector<std::pair<std::string, Config>>& map, std::string_view doc);
  template <class Spec>
  void component(std::string_view key, std::unique_ptr<Spec>& spec, std::string_view doc);
  template <class Spec>
  void components(std::string_view key, std::vector<std::unique_ptr<Spec>>& specs, std::string_view doc);

 protected:
  const Catalogs& catalogs() const { return *catalogs_; }

 private:
  const Catalogs* catalogs_;
};

template <class Config>
void Fields::sections(std::string_view key, std::vector<Config>& list, std::string_view doc) {
  sections(key, doc,
           Sections{.size = [&list] { return list.size(); },
                    .clear = [&list] { list.clear(); },
                    .describe = [&list](Fields& f, std::size_t i) { list[i].describe(f); },
                    .key = [](std::size_t) { return std::string(); },
                    .add = [&list](const std::string&) { list.emplace_back(); },
                    .describe_default = [](Fields& f) { Config().describe(f); }});
}

template <class Config>
void Fields::section_map(std::string_view key, std::vector<std::pair<std::string, Config>>& map,
                         std::string_view doc) {
  section_map(key, doc,
              Sections{.size = [&map] { return map.size(); },
                       .clear = [&map] { map.clear(); },
                       .describe = [&map](Fields& f, std::size_t i) { map[i].second.describe(f); },
                       .key = [&map](std::size_t i) { return map[i].first; },
                       .add = [&map](const std::string& name) { map.emplace_back(name, Config()); },
                       .describe_default = [](Fields& f) { Config().describe(f); }});
}

template <class Spec>
void Fields::component(std::string_view key, std::unique_ptr<Spec>& spec, std::string_view doc) {
  component(key, doc, catalogs().of<Spec>(),
            Slot{.get = [&spec]() -> Component* { return spec.get(); },
                 .set = [&spec](std::unique_ptr<Component> made) {
                   spec.reset(static_cast<Spec*>(made.release()));
                 }});
}

template <class Spec>
void Fields::components(std::string_view key, std::vector<std::unique_ptr<Spec>>& specs, std::string_view doc) {
  components(key, doc, catalogs().of<Spec>(),
             Slots{.size = [&specs] { return specs.size(); },
                   .clear = [&specs] { specs.clear(); },
                   .get = [&specs](std::size_t i) -> Component* { return specs[i].get(); },
                   .add = [&specs](std::unique_ptr<Component> made) {
                     specs.emplace_back(static_cast<Spec*>(made.release()));
                   }});
}

}  // namespace hone
