#include "text/jinja/ast.h"

namespace hone::jinja {

Symbols::Symbols() {
  for (const char* name : {"loop", "caller", "varargs", "kwargs"}) of(name);
}

int Symbols::of(std::string_view name) {
  const auto [place, added] = numbers_.try_emplace(std::string(name), static_cast<int>(names_.size()));
  if (added) names_.emplace_back(name);
  return place->second;
}

int Symbols::find(std::string_view name) const {
  const auto place = numbers_.find(name);
  return place == numbers_.end() ? -1 : place->second;
}

}  // namespace hone::jinja
