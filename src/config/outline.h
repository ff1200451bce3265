#pragma once

#include <string>
#include <vector>

#include "base/fields.h"
#include "config/node.h"

namespace hone {

/// What a config struct declares and holds, as data: the resolved dump, help, schema and reference are made from it.
struct Entry {
  enum class Type {
    boolean,
    integer,
    number,
    text,
    bytes,
    seconds,
    texts,
    integers,
    numbers,
    text_map,
    number_map,
    choice,
    section,
    sections,
    section_map,
    component,
    components,
  };
  struct Element {
    std::string key;   ///< in a section_map
    std::string kind;  ///< of a component
    std::string name;  ///< of a component
    std::vector<Entry> fields;
  };

  std::string key;
  std::string doc;
  Type type;
  bool optional = false;  ///< may be null
  bool required = false;
  Range range;
  std::vector<std::string> names;  ///< of a choice
  Node value;                      ///< of everything down to choice
  std::vector<Entry> fields;       ///< of a section; of a default element in sections and section_map
  std::vector<Element> elements;   ///< that sections, section_map, component and components hold
  const Catalog* catalog = nullptr;

  bool is_value() const { return type <= Type::choice; }
};

std::vector<Entry> outline(const Catalogs& catalogs, const Fields::Body& describe);
/// Of a component of this kind with its defaults.
std::vector<Entry> outline(const Catalogs& catalogs, const Catalog::Row& row);

}  // namespace hone
