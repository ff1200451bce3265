#include "config/schema.h"

#include <fmt/format.h>

#include <cmath>

#include "config/outline.h"
#include "config/scalars.h"

namespace hone {

namespace {

using Type = Entry::Type;

// Editors read YAML 1.2, where 1_000 is text, and see variables before they are replaced.
constexpr std::string_view variable = R"(\$\{env:)";
constexpr std::string_view digits = R"(^[-+]?[0-9.][0-9_.]*([eE][-+]?[0-9]+)?)";

Json object_of(Json::Object members) { return Json(std::move(members)); }

Json strings(const std::vector<std::string>& values) {
  Json list = Json::array();
  for (const std::string& value : values) list.push_back(value);
  return list;
}

void set_bounds(Json& schema, const Range& range) {
  if (std::isfinite(range.low)) schema.set(range.open_low ? "exclusiveMinimum" : "minimum", range.low);
  if (std::isfinite(range.high)) schema.set(range.open_high ? "exclusiveMaximum" : "maximum", range.high);
}

/// One value: a JSON type, or text of a pattern.
Json scalar(const char* json_type, const std::string& pattern, const Entry& entry) {
  std::vector<std::string> types = {json_type, "string"};
  if (entry.optional) types.push_back("null");
  Json schema = object_of({{"type", strings(types)}, {"pattern", fmt::format("{}|{}", pattern, variable)}});
  set_bounds(schema, entry.range);
  return schema;
}

Json one_of(const std::vector<std::string>& words) {
  return object_of({{"anyOf", Json::Array{object_of({{"enum", strings(words)}}),
                                          object_of({{"type", "string"}, {"pattern", variable}})}}});
}

Json array_of(Json items) { return object_of({{"type", "array"}, {"items", std::move(items)}}); }

Json map_of(Json values) { return object_of({{"type", "object"}, {"additionalProperties", std::move(values)}}); }

Json text_schema(bool optional) {
  std::vector<std::string> types = {"string", "number", "boolean"};
  if (optional) types.push_back("null");
  return object_of({{"type", strings(types)}});
}

Json value_schema(const Entry& entry) {
  const std::string number = fmt::format("{}$", digits);
  switch (entry.type) {
    case Type::boolean: return scalar("boolean", "^(true|false)$", entry);
    case Type::integer: return scalar("integer", number, entry);
    case Type::number: return scalar("number", number, entry);
    case Type::bytes: return scalar("integer", fmt::format("{}([kKMGT]?B|[KMGT]iB)?$", digits), entry);
    case Type::seconds: return scalar("number", fmt::format("{}(ms|s|m|h|d)?$", digits), entry);
    case Type::texts: return array_of(text_schema(false));
    case Type::integers: return array_of(scalar("integer", number, entry));
    case Type::numbers: return array_of(scalar("number", number, entry));
    case Type::text_map: return map_of(text_schema(false));
    case Type::number_map: return map_of(scalar("number", number, entry));
    case Type::choice: return one_of(entry.names);
    default: return text_schema(entry.optional);
  }
}

Json default_of(const Node& node, Type type) {
  if (node.is_null()) return Json();
  if (node.is_list()) {
    Json list = Json::array();
    for (const Node& item : node.items) list.push_back(default_of(item, type));
    return list;
  }
  if (node.is_map()) {
    Json map = Json::object();
    for (const Node::Entry& entry : node.entries) map.set(entry.key, default_of(entry.value, type));
    return map;
  }
  switch (type) {
    case Type::boolean: return Json(*parse_bool(node.text));
    case Type::integer:
    case Type::integers: return Json(*parse_integer(node.text));
    case Type::number:
    case Type::numbers:
    case Type::number_map: return Json(*parse_number(node.text));
    default: return Json(node.text);
  }
}

class SchemaMaker {
 public:
  /// `complete`: with required keys. Definitions of the other form have a prefix, so both fit into one file.
  SchemaMaker(const Catalogs& catalogs, bool complete, Json& definitions)
      : catalogs_(catalogs), complete_(complete), definitions_(definitions) {}

  Json map(const std::vector<Entry>& fields, Json::Object more_properties) {
    Json properties(std::move(more_properties));
    std::vector<std::string> required;
    for (const Entry& entry : fields) {
      properties.set(entry.key, property(entry));
      if (entry.required && complete_) required.push_back(entry.key);
    }
    Json schema = object_of({{"type", strings({"object", "null"})}});
    schema.set("properties", std::move(properties));
    if (!required.empty()) schema.set("required", strings(required));
    schema.set("additionalProperties", false);
    return schema;
  }

  void define_catalogs() {
    for (const auto& [type, catalog] : catalogs_.rows()) define(catalog);
  }

 private:
  std::string name_of(const Catalog& catalog) const { return complete_ ? catalog.noun : "partial_" + catalog.noun; }
  std::string name_of(const Catalog& catalog, const std::string& kind) const {
    return fmt::format("{}.{}", name_of(catalog), kind);
  }
  static Json reference(const std::string& name) { return object_of({{"$ref", "#/$defs/" + name}}); }

  Json property(const Entry& entry) {
    Json schema = property_schema(entry);
    schema.set("description", entry.doc);
    if (entry.is_value() && !entry.required) schema.set("default", default_of(entry.value, entry.type));
    return schema;
  }

  Json property_schema(const Entry& entry) {
    switch (entry.type) {
      case Type::section: return map(entry.fields, {});
      case Type::sections: return array_of(map(entry.fields, {}));
      case Type::section_map: return map_of(map(entry.fields, {}));
      case Type::component: return component(entry);
      case Type::components: {
        Json item = reference(name_of(*entry.catalog));
        item.set("type", "object");
        if (complete_) item.set("required", strings({"kind"}));
        return array_of(std::move(item));
      }
      default: return value_schema(entry);
    }
  }

  /// Without `kind`, the component that is there by default is meant.
  Json component(const Entry& entry) {
    Json schema = reference(name_of(*entry.catalog));
    if (entry.elements.empty()) {
      if (complete_) schema.set("required", strings({"kind"}));
      return schema;
    }
    schema.set("if", object_of({{"required", strings({"kind"})}}));
    schema.set("else", reference(name_of(*entry.catalog, entry.elements[0].kind)));
    return schema;
  }

  void define(const Catalog& catalog) {
    std::vector<std::string> kinds;
    Json branches = Json::array();
    for (const Catalog::Row& row : catalog.rows) {
      kinds.push_back(row.kind);
      Json is_kind = object_of({{"const", row.kind}});
      Json condition = object_of({{"type", "object"}, {"required", strings({"kind"})}});
      condition.set("properties", object_of({{"kind", std::move(is_kind)}}));
      branches.push_back(object_of({{"if", std::move(condition)}, {"then", reference(name_of(catalog, row.kind))}}));
      Json kind = object_of({{"description", row.doc}});
      Json name = object_of({{"type", "string"}, {"description", "Unique in its list; by default the kind."}});
      Json fields = map(outline(catalogs_, row), {{"kind", std::move(kind)}, {"name", std::move(name)}});
      fields.set("description", row.doc);
      definitions_.set(name_of(catalog, row.kind), std::move(fields));
    }
    Json schema = object_of({{"type", strings({"object", "null"})}});
    schema.set("properties", object_of({{"kind", one_of(kinds)}}));
    schema.set("allOf", std::move(branches));
    definitions_.set(name_of(catalog), std::move(schema));
  }

  const Catalogs& catalogs_;
  bool complete_;
  Json& definitions_;
};

}  // namespace

Json json_schema(const Catalogs& catalogs, const Fields::Body& describe) {
  const std::vector<Entry> root = outline(catalogs, describe);
  Json definitions = Json::object();
  for (const bool complete : {true, false}) {
    SchemaMaker maker(catalogs, complete, definitions);
    Json::Object extends;
    if (!complete) {
      extends.emplace_back("extends",
                           object_of({{"type", "string"}, {"description", "The file that this one changes."}}));
    }
    definitions.set(complete ? "file" : "partial_file", maker.map(root, std::move(extends)));
    maker.define_catalogs();
  }
  return object_of({{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                    {"title", "hone run"},
                    {"type", "object"},
                    {"if", object_of({{"required", strings({"extends"})}})},
                    {"then", object_of({{"$ref", "#/$defs/partial_file"}})},
                    {"else", object_of({{"$ref", "#/$defs/file"}})},
                    {"$defs", std::move(definitions)}});
}

}  // namespace hone
