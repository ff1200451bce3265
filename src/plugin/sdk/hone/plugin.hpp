// hone/plugin.hpp: rewards and environments for hone in C++17, over the C of hone/plugin.h. Nothing to link.
//
//     #include <hone/plugin.hpp>
//
//     static double score(const hone::plugin::Item& item) {
//       if (!item.answer) throw std::runtime_error("the prompt has no answer");  // an error, never a 0
//       return item.completion == *item.answer ? 1.0 : 0.0;
//     }
//
//     HONE_REWARD("exact", score)
//
// No exception crosses the border: one thrown for an item is that item's error, with its what() for people. Every view
// that a function gets is valid until it returns. Compile with -shared -fPIC -std=c++17 -fvisibility=hidden.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin.h"

namespace hone::plugin {

enum class Scope { sample = HONE_SCOPE_SAMPLE, group = HONE_SCOPE_GROUP, batch = HONE_SCOPE_BATCH };
enum class Threads { serial = HONE_THREADS_SERIAL, per_instance = HONE_THREADS_PER_INSTANCE, any = HONE_THREADS_ANY };
enum class Finish {
  stop = HONE_FINISH_STOP,
  length = HONE_FINISH_LENGTH,
  env = HONE_FINISH_ENV,
  abort = HONE_FINISH_ABORT
};
enum class Split { train = HONE_SPLIT_TRAIN, held_out = HONE_SPLIT_HELD_OUT };

/// What a plug-in declares: `static constexpr hone::plugin::Traits traits = Traits("name").scope(Scope::group);`
struct Traits {
  const char* name;
  Scope wanted_scope = Scope::sample;
  Threads wanted_threads = Threads::any;
  bool is_deterministic = true;

  constexpr explicit Traits(const char* its_name) : name(its_name) {}
  constexpr Traits scope(Scope value) const { return {name, value, wanted_threads, is_deterministic}; }
  constexpr Traits threads(Threads value) const { return {name, wanted_scope, value, is_deterministic}; }
  constexpr Traits deterministic(bool value) const { return {name, wanted_scope, wanted_threads, value}; }

 private:
  constexpr Traits(const char* its_name, Scope a_scope, Threads a_threads, bool deterministic)
      : name(its_name), wanted_scope(a_scope), wanted_threads(a_threads), is_deterministic(deterministic) {}
};

inline hone_text text_of(std::string_view text) { return {text.data() == nullptr ? "" : text.data(), text.size()}; }
inline std::string_view view_of(hone_text text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, static_cast<std::size_t>(text.size));
}
inline std::optional<std::string_view> optional_of(hone_text text) {
  return text.data == nullptr ? std::nullopt : std::optional<std::string_view>(view_of(text));
}

/// The call that is under way: what the host offers.
class Call {
 public:
  Call(const hone_host* host, hone_call* call) : host_(host), call_(call) {}

  void info(std::string_view text) const { host_->log(call_, HONE_LOG_INFO, text_of(text)); }
  void warn(std::string_view text) const { host_->log(call_, HONE_LOG_WARN, text_of(text)); }
  void metric(std::string_view name, double value) const { host_->metric(call_, text_of(name), value); }
  /// Whether the result is no longer wanted.
  bool cancelled() const { return host_->cancelled(call_) != 0; }
  /// The value of a key of `config:` in the run's file.
  std::optional<std::string> config(std::string_view key) const {
    const hone_text value = host_->config(call_, text_of(key));
    return value.data == nullptr ? std::nullopt : std::optional<std::string>(view_of(value));
  }
  std::string config(std::string_view key, std::string_view otherwise) const {
    return config(key).value_or(std::string(otherwise));
  }
  /// As a number; throws when it is none.
  double config_number(std::string_view key, double otherwise) const {
    const std::optional<std::string> value = config(key);
    if (!value) return otherwise;
    char* end = nullptr;
    const double number = std::strtod(value->c_str(), &end);
    if (value->empty() || *end != '\0') {
      throw std::runtime_error("config: " + std::string(key) + ": expected a number, got \"" + *value + "\"");
    }
    return number;
  }
  /// The member of a JSON object, or element "0", "1", … of an array: a string as its own text, the rest as JSON.
  std::optional<std::string_view> json_member(std::string_view json, std::string_view key) const {
    return optional_of(host_->json_member(call_, text_of(json), text_of(key)));
  }
  /// 64 random bits, and a uniform number in [0, 1): pure functions of both.
  std::uint64_t random(std::uint64_t seed, std::uint64_t counter) const { return host_->random(seed, counter); }
  double uniform(std::uint64_t seed, std::uint64_t counter) const { return hone_uniform(random(seed, counter)); }

  const hone_host* host() const { return host_; }
  hone_call* handle() const { return call_; }

 private:
  const hone_host* host_;
  hone_call* call_;
};

/// What a class is constructed with.
struct Setup {
  std::string_view name;  ///< in the run's file
  std::uint64_t seed;
  Call call;
};

struct Turn {
  explicit Turn(const hone_turn& turn)
      : completion(view_of(turn.completion)),
        reply(view_of(turn.reply)),
        reward(turn.has_reward != 0 ? std::optional<double>(turn.reward) : std::nullopt),
        raw(&turn) {}
  std::string_view completion;
  std::string_view reply;
  std::optional<double> reward;
  const hone_turn* raw;
};

/// An episode.
struct Item {
  Item(const hone_item& item, Call of)
      : prompt(view_of(item.prompt)),
        messages(view_of(item.messages)),
        completion(view_of(item.completion)),
        reference(view_of(item.reference)),
        answer(optional_of(item.answer)),
        seed(item.seed),
        prompt_id(item.prompt_id),
        group(item.group),
        sample(item.sample),
        finish(static_cast<Finish>(item.finish)),
        call(of),
        raw(&item) {}

  std::string_view prompt;                 ///< empty when the prompt is a list of messages
  std::string_view messages;               ///< JSON, or empty
  std::string_view completion;             ///< of the last turn
  std::string_view reference;              ///< JSON
  std::optional<std::string_view> answer;  ///< the reference when it is a string or number, else its member "answer"
  std::uint64_t seed, prompt_id;
  std::int64_t group, sample;
  Finish finish;
  Call call;
  const hone_item* raw;

  std::size_t turn_count() const { return static_cast<std::size_t>(raw->turn_count); }
  Turn turn(std::size_t i) const { return Turn(*raw->turns[i]); }
  std::size_t token_count() const { return static_cast<std::size_t>(raw->completion_id_count); }
  const std::int32_t* tokens() const { return raw->completion_ids; }
  /// A member of the reference; throws when it has none.
  std::string_view reference_at(std::string_view key) const {
    const std::optional<std::string_view> value = call.json_member(reference, key);
    if (!value) throw std::runtime_error("the reference has no \"" + std::string(key) + "\"");
    return *value;
  }
};

/// A verdict on one episode: a number, an abstention or an error.
class Score {
 public:
  Score(double value) : value_(value) {}  // NOLINT: a number is a score
  static Score abstain(std::string why) { return Score(Kind::abstain, std::move(why)); }
  static Score error(std::string why) { return Score(Kind::error, std::move(why)); }

  Score& note(std::string text) {
    notes_.push_back(std::move(text));
    return *this;
  }
  Score& part(std::string name, double value) {
    parts_.emplace_back(std::move(name), value);
    return *this;
  }
  /// Reward in the middle: `value` arrives at token `end_token` (exclusive) of turn `turn`.
  Score& span(std::int64_t turn, std::int64_t end_token, double value) {
    spans_.push_back({turn, end_token, value});
    return *this;
  }

  void give(const Call& call, std::uint64_t item) const {
    const hone_host& host = *call.host();
    hone_call* const to = call.handle();
    if (kind_ == Kind::ok) host.score(to, item, value_);
    if (kind_ == Kind::abstain) host.abstain(to, item, text_of(why_));
    if (kind_ == Kind::error) host.error(to, item, text_of(why_));
    for (const std::string& text : notes_) host.note(to, item, text_of(text));
    for (const auto& [name, value] : parts_) host.part(to, item, text_of(name), value);
    for (const Span& span : spans_) host.span(to, item, span.turn, span.end_token, span.value);
  }

 private:
  enum class Kind { ok, abstain, error };
  struct Span {
    std::int64_t turn, end_token;
    double value;
  };
  Score(Kind kind, std::string why) : kind_(kind), why_(std::move(why)) {}

  Kind kind_ = Kind::ok;
  double value_ = 0;
  std::string why_;
  std::vector<std::string> notes_;
  std::vector<std::pair<std::string, double>> parts_;
  std::vector<Span> spans_;
};

/// What an environment asks the policy: a text, or messages of (role, content).
struct Prompt {
  std::string text;
  std::vector<std::pair<std::string, std::string>> messages = {};
  std::string reference = {};  ///< JSON; empty: none
  std::optional<std::string> demonstration = {};
};

/// An answer to a completion. `Step::end()`, `Step::say(text)`; either with a reward for the turn.
struct Step {
  std::optional<std::string> reply;
  std::optional<double> reward;
  static Step end(std::optional<double> reward = std::nullopt) { return {std::nullopt, reward}; }
  static Step say(std::string text, std::optional<double> reward = std::nullopt) { return {std::move(text), reward}; }
};

}  // namespace hone::plugin

#include "plugin_tables.hpp"

#define HONE_DETAIL_ENTRY(name, reward, environment)                                                        \
  extern "C" HONE_PLUGIN_EXPORT const hone_plugin* hone_plugin_entry(const hone_host* host) {               \
    static const hone_plugin plugin = {sizeof(hone_plugin), HONE_PLUGIN_ABI, 0, name, reward, environment}; \
    return hone::plugin::detail::accepted(host, &plugin);                                                   \
  }

/// A reward from a function of one item that returns double, bool or Score. It must bear several calls at once.
#define HONE_REWARD(name, function)                                                                        \
  namespace {                                                                                              \
  constexpr auto hone_reward_function = [](const hone::plugin::Item& item) -> hone::plugin::Score {        \
    return function(item);                                                                                 \
  };                                                                                                       \
  struct HoneReward {                                                                                      \
    hone::plugin::Score score(const hone::plugin::Item& item) const { return hone_reward_function(item); } \
  };                                                                                                       \
  constexpr hone_reward hone_reward_table =                                                                \
      hone::plugin::detail::reward_table<HoneReward>(hone::plugin::Traits(name));                          \
  }                                                                                                        \
  HONE_DETAIL_ENTRY(name, &hone_reward_table, nullptr)

/// A reward from a class with
///     static constexpr Traits traits;
///     explicit Class(const Setup&)                              or a default constructor
///     Score score(const Item&)                                  or std::vector<Score> score(const std::vector<Item>&)
/// With Threads::any (the default of Traits) calls come at once for one object.
#define HONE_REWARD_CLASS(Class)                                                                      \
  namespace {                                                                                         \
  constexpr hone_reward hone_reward_table = hone::plugin::detail::reward_table<Class>(Class::traits); \
  }                                                                                                   \
  HONE_DETAIL_ENTRY(Class::traits.name, &hone_reward_table, nullptr)

/// An environment from a class with
///     static constexpr Traits traits;
///     explicit Class(const Setup&)                              or a default constructor
///     std::uint64_t size(Split) const;
///     Prompt prompt(const Call&, Split, std::uint64_t index, std::uint64_t seed) const;
/// and, when it answers,
///     struct State; State reset(const Item&); Step step(State&, const Item&);
/// and, when a state is dear to make again,
///     std::string save(const State&) const; State load(const Item&, std::string_view) const;
#define HONE_ENVIRONMENT_CLASS(Class)                                                                                \
  namespace {                                                                                                        \
  constexpr hone_environment hone_environment_table = hone::plugin::detail::environment_table<Class>(Class::traits); \
  }                                                                                                                  \
  HONE_DETAIL_ENTRY(Class::traits.name, nullptr, &hone_environment_table)
