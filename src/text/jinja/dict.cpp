#include "text/jinja/dict.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

constexpr std::size_t linear_up_to = 8;

/// Equal keys have equal hashes: 1, 1.0 and true are one key.
std::size_t hash_of(Runtime& runtime, Value key) {
  switch (key.kind) {
    case Kind::string: runtime.spend_bytes(key.string->size); return std::hash<std::string_view>()(key.text());
    case Kind::none: return 1;
    case Kind::undefined: return 2;
    case Kind::boolean:
    case Kind::integer:
    case Kind::real: return std::hash<double>()(key.as_real() + 0.0);
    case Kind::tuple: {
      const Nested level(runtime);
      runtime.spend(static_cast<std::int64_t>(key.items->size));
      std::size_t hash = 3;
      for (const Value item : key.items->span()) hash = hash * 1000003 ^ hash_of(runtime, item);
      return hash;
    }
    case Kind::list:
    case Kind::dict: runtime.fail("a {} cannot be the key of a dict", type_name(key));
    case Kind::view: runtime.fail("a dict view cannot be the key of a dict");
    default: return reinterpret_cast<std::size_t>(key.items) >> 4;
  }
}

bool same_key(Runtime& runtime, Value a, Value b) {
  if (a.is_string() && b.is_string()) return a.text() == b.text();
  return equal(runtime, a, b);
}

}  // namespace

const Value* find_in(const Dict& dict, std::string_view key) {
  if (dict.slots == nullptr) {
    for (std::size_t i = 0; i < dict.size; ++i) {
      if (dict.keys[i].is_string() && dict.keys[i].text() == key) return &dict.values[i];
    }
    return nullptr;
  }
  for (std::size_t slot = std::hash<std::string_view>()(key);; ++slot) {
    const std::uint32_t place = dict.slots[slot & dict.slot_mask];
    if (place == 0) return nullptr;
    if (dict.keys[place - 1].is_string() && dict.keys[place - 1].text() == key) return &dict.values[place - 1];
  }
}

const Value* find_in(Runtime& runtime, const Dict& dict, Value key) {
  if (key.is_string()) {
    runtime.spend_bytes(key.string->size);
    return find_in(dict, key.text());
  }
  const std::size_t hash = hash_of(runtime, key);
  if (dict.slots == nullptr) {
    for (std::size_t i = 0; i < dict.size; ++i) {
      if (same_key(runtime, dict.keys[i], key)) return &dict.values[i];
    }
    return nullptr;
  }
  for (std::size_t slot = hash;; ++slot) {
    const std::uint32_t place = dict.slots[slot & dict.slot_mask];
    if (place == 0) return nullptr;
    runtime.spend(1);
    if (same_key(runtime, dict.keys[place - 1], key)) return &dict.values[place - 1];
  }
}

void DictBuilder::grow() {
  slots_.assign(std::max<std::size_t>(32, slots_.size() * 2), 0);
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    std::size_t slot = hash_of(runtime_, keys_[i]);
    while (slots_[slot & (slots_.size() - 1)] != 0) ++slot;
    slots_[slot & (slots_.size() - 1)] = static_cast<std::uint32_t>(i + 1);
  }
}

void DictBuilder::put(Value key, Value value, bool replace) {
  const std::size_t hash = hash_of(runtime_, key);
  runtime_.spend(1);
  if (slots_.empty()) {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (!same_key(runtime_, keys_[i], key)) continue;
      if (replace) values_[i] = value;
      return;
    }
  } else {
    std::size_t slot = hash;
    for (;; ++slot) {
      std::uint32_t& place = slots_[slot & (slots_.size() - 1)];
      if (place == 0) {
        place = static_cast<std::uint32_t>(keys_.size() + 1);
        break;
      }
      runtime_.spend(1);
      if (!same_key(runtime_, keys_[place - 1], key)) continue;
      if (replace) values_[place - 1] = value;
      return;
    }
  }
  keys_.push_back(key);
  values_.push_back(value);
  if (keys_.size() > linear_up_to && keys_.size() * 2 > slots_.size()) grow();
}

Value DictBuilder::finish(bool data) {
  Dict dict{.size = keys_.size()};
  Value* keys = runtime_.array<Value>(dict.size);
  Value* values = runtime_.array<Value>(dict.size);
  std::ranges::copy(keys_, keys);
  std::ranges::copy(values_, values);
  dict.keys = keys;
  dict.values = values;
  if (!slots_.empty()) {
    std::uint32_t* slots = runtime_.array<std::uint32_t>(slots_.size());
    std::ranges::copy(slots_, slots);
    dict.slots = slots;
    dict.slot_mask = slots_.size() - 1;
  }
  return Value::of(runtime_.make<Dict>(dict), data);
}

}  // namespace hone::jinja
