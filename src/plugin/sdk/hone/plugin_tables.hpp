// Part of hone/plugin.hpp: the tables of hone/plugin.h for classes of C++. Include that.
#pragma once

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "plugin.h"

namespace hone::plugin::detail {

/// Runs `body`; an exception becomes HONE_FAILED with its text.
template <class Body>
std::int32_t guarded(const Call& call, const Body& body) noexcept {
  try {
    body();
    return HONE_OK;
  } catch (const std::exception& error) {
    call.host()->fail(call.handle(), hone_string(error.what()));
  } catch (...) {
    call.host()->fail(call.handle(), hone_string("an exception that is no std::exception"));
  }
  return HONE_FAILED;
}

/// An instance with the host that it was made by.
template <class Object>
struct Holder {
  const hone_host* host;
  Object object;
};

template <class Object>
std::int32_t create(const hone_host* host, hone_call* handle, const hone_setup* setup, void** instance) noexcept {
  const Call call(host, handle);
  return guarded(call, [&] {
    const Setup given{view_of(setup->name), setup->seed, call};
    if constexpr (std::is_constructible_v<Object, const Setup&>) {
      *instance = new Holder<Object>{host, Object(given)};
    } else {
      *instance = new Holder<Object>{host, Object()};
    }
  });
}

template <class Object>
void destroy(void* instance) noexcept {
  delete static_cast<Holder<Object>*>(instance);
}

template <class Object, class = void>
struct judges_batches : std::false_type {};
template <class Object>
struct judges_batches<Object,
                      std::void_t<decltype(std::declval<Object&>().score(std::declval<const std::vector<Item>&>()))>>
    : std::true_type {};

template <class Object>
void score_batch(Object& object, const Call& call, const hone_item* const* items, std::uint64_t count) {
  std::vector<Item> all;
  all.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) all.emplace_back(*items[i], call);
  const std::vector<Score> scores = object.score(static_cast<const std::vector<Item>&>(all));
  if (scores.size() != count) {
    throw std::runtime_error("returned " + std::to_string(scores.size()) + " scores for " + std::to_string(count) +
                             " items");
  }
  for (std::uint64_t i = 0; i < count; ++i) scores[static_cast<std::size_t>(i)].give(call, i);
}

template <class Object>
Score score_one(Object& object, const Item& item) {
  try {
    return object.score(item);
  } catch (const std::exception& error) {
    return Score::error(error.what());
  } catch (...) {
    return Score::error("an exception that is no std::exception");
  }
}

template <class Object>
std::int32_t score(void* instance, hone_call* handle, const hone_item* const* items, std::uint64_t count) noexcept {
  auto& holder = *static_cast<Holder<Object>*>(instance);
  const Call call(holder.host, handle);
  return guarded(call, [&] {
    if constexpr (judges_batches<Object>::value) {
      score_batch(holder.object, call, items, count);
    } else {
      for (std::uint64_t i = 0; i < count; ++i) score_one(holder.object, Item(*items[i], call)).give(call, i);
    }
  });
}

template <class Object>
constexpr hone_reward reward_table(Traits traits) {
  hone_reward table{};
  table.size = sizeof(hone_reward);
  table.scope = static_cast<std::int32_t>(traits.wanted_scope);
  table.threads = static_cast<std::int32_t>(traits.wanted_threads);
  table.deterministic = traits.is_deterministic ? 1 : 0;
  table.create = create<Object>;
  table.destroy = destroy<Object>;
  table.score = score<Object>;
  return table;
}

template <class Object, class = void>
struct has_steps : std::false_type {};
template <class Object>
struct has_steps<Object, std::void_t<typename Object::State>> : std::true_type {};
template <class Object, class = void>
struct has_save : std::false_type {};
template <class Object>
struct has_save<Object, std::void_t<decltype(&Object::save), decltype(&Object::load)>> : std::true_type {};

template <class Object>
std::uint64_t prompts(void* instance, hone_call* handle, std::int32_t split) noexcept {
  auto& holder = *static_cast<Holder<Object>*>(instance);
  std::uint64_t size = 0;
  guarded(Call(holder.host, handle), [&] { size = holder.object.size(static_cast<Split>(split)); });
  return size;
}

template <class Object>
std::int32_t prompt(void* instance, hone_call* handle, std::int32_t split, std::uint64_t index,
                    std::uint64_t seed) noexcept {
  auto& holder = *static_cast<Holder<Object>*>(instance);
  const Call call(holder.host, handle);
  return guarded(call, [&] {
    const Prompt made = holder.object.prompt(call, static_cast<Split>(split), index, seed);
    const hone_host& host = *holder.host;
    if (made.messages.empty()) host.prompt_text(handle, text_of(made.text));
    for (const auto& [role, content] : made.messages) host.prompt_message(handle, text_of(role), text_of(content));
    if (!made.reference.empty()) host.prompt_reference(handle, text_of(made.reference));
    if (made.demonstration) host.prompt_demonstration(handle, text_of(*made.demonstration));
  });
}

template <class Object>
std::int32_t reset(void* instance, hone_call* handle, const hone_item* item, void** state) noexcept {
  using State = typename Object::State;
  auto& holder = *static_cast<Holder<Object>*>(instance);
  const Call call(holder.host, handle);
  return guarded(call, [&] { *state = new State(holder.object.reset(Item(*item, call))); });
}

template <class Object>
std::int32_t step(void* instance, hone_call* handle, void* state, const hone_item* item) noexcept {
  auto& holder = *static_cast<Holder<Object>*>(instance);
  const Call call(holder.host, handle);
  return guarded(call, [&] {
    const Step made = holder.object.step(*static_cast<typename Object::State*>(state), Item(*item, call));
    if (made.reply) holder.host->reply(handle, text_of(*made.reply));
    if (made.reward) holder.host->turn_reward(handle, *made.reward);
  });
}

template <class Object>
void close(void*, void* state) noexcept {
  delete static_cast<typename Object::State*>(state);
}

template <class Object>
std::int32_t save(void* instance, hone_call* handle, const void* state) noexcept {
  auto& holder = *static_cast<Holder<Object>*>(instance);
  return guarded(Call(holder.host, handle), [&] {
    const std::string bytes = holder.object.save(*static_cast<const typename Object::State*>(state));
    holder.host->state(handle, bytes.data(), bytes.size());
  });
}

template <class Object>
std::int32_t load(void* instance, hone_call* handle, const hone_item* item, const void* bytes, std::uint64_t size,
                  void** state) noexcept {
  using State = typename Object::State;
  auto& holder = *static_cast<Holder<Object>*>(instance);
  const Call call(holder.host, handle);
  return guarded(call, [&] {
    const std::string_view saved(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
    *state = new State(holder.object.load(Item(*item, call), saved));
  });
}

template <class Object>
constexpr hone_environment environment_table(Traits traits) {
  hone_environment table{};
  table.size = sizeof(hone_environment);
  table.deterministic = traits.is_deterministic ? 1 : 0;
  table.create = create<Object>;
  table.destroy = destroy<Object>;
  table.prompts = prompts<Object>;
  table.prompt = prompt<Object>;
  if constexpr (has_steps<Object>::value) {
    table.reset = reset<Object>;
    table.step = step<Object>;
    table.close = close<Object>;
    if constexpr (has_save<Object>::value) {
      table.state_save = save<Object>;
      table.state_load = load<Object>;
    }
  }
  return table;
}

/// The host must have every function that this header uses; a later one has more.
inline const hone_plugin* accepted(const hone_host* host, const hone_plugin* plugin) {
  return host->abi == HONE_PLUGIN_ABI && HONE_HAS(host, state) ? plugin : nullptr;
}

}  // namespace hone::plugin::detail
