#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "text/jinja/value.h"

namespace hone::jinja {

/// The value of a key, or nullptr. Fails for keys that Python cannot hash.
const Value* find_in(Runtime& runtime, const Dict& dict, Value key);
const Value* find_in(const Dict& dict, std::string_view key);

/// Collects a dict: the last of equal keys wins and keeps the place of the first.
class DictBuilder {
 public:
  explicit DictBuilder(Runtime& runtime) : runtime_(runtime) {}
  void set(Value key, Value value) { put(key, value, true); }
  /// Keeps the first value of equal keys.
  void set_first(Value key, Value value) { put(key, value, false); }
  Value finish(bool data = false);

 private:
  void put(Value key, Value value, bool replace);
  void grow();

  Runtime& runtime_;
  std::vector<Value> keys_;
  std::vector<Value> values_;
  std::vector<std::uint32_t> slots_;
};

}  // namespace hone::jinja
