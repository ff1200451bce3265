#include "envs/skeleton.h"

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/random.h"

namespace hone {

namespace {

constexpr std::uint64_t intervals = 100;      // they start at 0 … 99
constexpr std::uint64_t held_out_every = 10;  // those that start at a multiple of ten are held out

/// Only the usual way to write it: no sign, space or leading zero, so that text and number agree.
std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0 || text != fmt::to_string(value)) return std::nullopt;
  return value;
}

class GuessTheNumber : public Environment {
 public:
  GuessTheNumber(const SkeletonEnvSpec& spec, std::uint64_t seed)
      : width_(static_cast<std::uint64_t>(spec.width)), turns_(spec.turns), key_(stream_key(seed, "skeleton.hidden")) {}

  std::uint64_t size(Split split) const override {
    const std::uint64_t held_out = intervals / held_out_every;
    return split == Split::held_out ? held_out : intervals - held_out;
  }

  // Everything here follows from the seed, the split and the index: no counters, no state. The splits share no prompt.
  Prompt prompt(Split split, std::uint64_t index) const override {
    HONE_ASSERT(index < size(split));
    const std::uint64_t low =
        split == Split::held_out ? index * held_out_every : index + index / (held_out_every - 1) + 1;
    const std::uint64_t id = prompt_id(split, index);
    Json reference = Json::object();
    reference.set("answer", fmt::to_string(low + Random(key_, id).below(width_)));
    reference.set("turns", turns_);
    return {.id = id,
            .split = split,
            .text = fmt::format("{}-{}: ", low, low + width_ - 1),
            .reference = std::move(reference)};
  }

  // What a supervised stage shows for the first turn. A teacher who cannot see the number halves the interval.
  std::optional<std::string> demonstration(const Prompt& prompt) const override {
    const auto low = whole_number(std::string_view(prompt.text).substr(0, prompt.text.find('-')));
    HONE_ASSERT(low.has_value());
    return fmt::to_string(*low + static_cast<std::int64_t>(width_ - 1) / 2);
  }

  // Called after every completion. A reply continues the episode; `done` ends it. The state is the episode itself.
  Step step(const Episode& episode) override {
    const auto guess = whole_number(episode.completion_text());
    const auto hidden = whole_number(episode.prompt.reference.at("answer").as_string());
    if (guess == hidden || static_cast<std::int64_t>(episode.turns.size()) >= turns_) return {};
    if (!guess) return {.done = false, .reply = " what?\n"};
    return {.done = false, .reply = *guess < *hidden ? " higher\n" : " lower\n"};
  }

 private:
  std::uint64_t width_;
  std::int64_t turns_;
  std::uint64_t key_;
};

}  // namespace

void SkeletonEnvSpec::describe(Fields& f) {
  f.field("width", width, "Numbers in the interval that hides one.", between(1, 1000));
  f.field("turns", turns, "Guesses before the episode ends.", between(1, 100));
}

std::unique_ptr<Environment> SkeletonEnvSpec::make(const Services& services) const {
  return std::make_unique<GuessTheNumber>(*this, services.seed);
}

}  // namespace hone
