#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja/call.h"
#include "text/jinja/value.h"

namespace hone::jinja {

/// Names of variables as numbers.
class Symbols {
 public:
  Symbols();
  /// Those that the renderer sets itself have fixed numbers.
  enum Fixed { loop, caller, varargs, kwargs };
  int of(std::string_view name);
  /// The number of a name that is known, else -1.
  int find(std::string_view name) const;
  const std::string& name(int symbol) const { return names_[static_cast<std::size_t>(symbol)]; }

 private:
  std::map<std::string, int, std::less<>> numbers_;
  std::vector<std::string> names_;
};

/// The texts that a template itself holds.
class Constants {
 public:
  const Str* add(std::string text) {
    texts_.push_back(std::move(text));
    strings_.push_back({.data = texts_.back().data(), .size = texts_.back().size()});
    return &strings_.back();
  }

 private:
  std::deque<std::string> texts_;
  std::deque<Str> strings_;
};

enum class ExprKind {
  constant,
  name,
  attribute,    ///< a.text
  item,         ///< a[b]
  slice,        ///< [a:b:c], only as b of an item
  call,         ///< a(arguments)
  filter,       ///< a|text(arguments); without a in filter blocks
  test,         ///< a is text(arguments)
  negative,
  positive,
  not_,
  and_,
  or_,
  binary,       ///< a op b
  concat,       ///< items joined by ~
  compare,      ///< a ops[0] items[0] ops[1] items[1] …
  conditional,  ///< a if b else c
  list,
  tuple,
  dict,         ///< items: key, value, key, value …
};

enum class Op { add, subtract, multiply, divide, floor_divide, modulo, power, eq, ne, lt, le, gt, ge, in, not_in };

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct CallArguments {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<const Str*, ExprPtr>> named;
  ExprPtr star;       ///< *these
  ExprPtr star_star;  ///< **these
};

struct Expr {
  ExprKind kind = ExprKind::constant;
  int line = 1;
  int height = 1;  ///< of the tree below
  Value value;
  int symbol = -1;
  const Str* text = nullptr;
  Op op = Op::add;
  ExprPtr a, b, c;
  std::vector<ExprPtr> items;
  std::vector<Op> ops;
  CallArguments arguments;
  FilterFunction filter = nullptr;
  TestFunction test = nullptr;
};

/// What `set`, `for` and `with` assign to: a variable, an attribute of a namespace, or several of them.
struct Target {
  int symbol = -1;
  const Str* attribute = nullptr;
  std::vector<Target> several;
  bool is_tuple = false;
};

enum class StmtKind {
  data,
  output,
  if_,
  for_,
  set,
  set_block,
  macro,
  call_block,
  filter_block,
  with,
  generation,
  break_,
  continue_,
};

struct Stmt;
using Body = std::vector<std::unique_ptr<Stmt>>;

struct MacroDefinition {
  const Str* name = nullptr;  ///< nullptr: the body of a call block
  struct Parameter {
    int symbol;
    const Str* name;
    ExprPtr fallback;
  };
  std::vector<Parameter> parameters;
  Body body;
  bool uses_caller = false, uses_varargs = false, uses_kwargs = false;
};

struct Branch {
  ExprPtr test;
  Body body;
};

struct Stmt {
  StmtKind kind = StmtKind::data;
  int line = 1;
  const Str* text = nullptr;
  ExprPtr expr;  ///< for: what to iterate over; set: the value; call block: the call; filter block: the filter
  ExprPtr test;  ///< for … if
  std::vector<ExprPtr> exprs;    ///< output; with: values
  std::vector<Branch> branches;  ///< if, elif
  Body body;
  Body else_body;
  Target target;
  std::vector<Target> targets;  ///< with
  bool recursive = false;
  bool uses_loop = false;  ///< for: its body names `loop`
  MacroDefinition macro;
  int symbol = -1;  ///< macro: its variable
};

/// A parsed template; immutable.
struct Program {
  Symbols symbols;
  Constants constants;
  Body body;
  bool marks_generation = false;  ///< has {% generation %}
};

}  // namespace hone::jinja
