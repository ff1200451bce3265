#pragma once

#include <cstdint>

#include "text/jinja/ast.h"
#include "text/jinja/value.h"

namespace hone::jinja {

struct Variable {
  int symbol;
  Value value;
};

/// Variables of one block. Loops use theirs again for each item, as Jinja2's compiled functions do.
struct Scope {
  Scope* parent = nullptr;
  Variable* variables = nullptr;
  std::uint32_t size = 0;
  std::uint32_t capacity = 0;
};

struct Macro {
  const MacroDefinition* definition;
  Scope* scope;  ///< where it was defined
};

/// The `loop` of a for statement.
struct Loop {
  const Value* items;
  std::int64_t size;
  std::int64_t index0;
  std::int64_t depth0;
  Value last_changed;   ///< the arguments of the last loop.changed()
  const Stmt* recursive;  ///< the statement, when it may be called for inner items
  Scope* scope;           ///< around the statement
};

struct Cycler {
  const Value* items;
  std::size_t size;
  std::size_t at;
};

struct Joiner {
  Value separator;
  bool used;
};

}  // namespace hone::jinja
