#include "rollout/in_flight.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"

namespace hone {

void InFlight::add(std::vector<Episode> episodes) {
  HONE_ASSERT(static_cast<std::int64_t>(episodes.size()) % samples_ == 0);
  std::ranges::move(episodes, std::back_inserter(episodes_));
}

void InFlight::advance(Engine& engine, const Tokenizer& tokenizer, Environment& environment,
                       const SamplingConfig& sampling, const CollectPlan& plan) {
  HONE_ASSERT(plan.token_budget > 0 && plan.samples == samples_);
  play(engine, tokenizer, environment, sampling, plan, episodes_, nullptr);
}

bool InFlight::has_ended(std::int64_t group) const {
  const auto size = static_cast<std::size_t>(samples_);
  return std::ranges::none_of(std::span(episodes_).subspan(static_cast<std::size_t>(group) * size, size), is_open);
}

std::int64_t InFlight::ended() const {
  std::int64_t count = 0;
  for (std::int64_t group = 0; group < groups(); ++group) count += has_ended(group) ? 1 : 0;
  return count;
}

std::vector<Episode> InFlight::take(std::int64_t count) {
  std::vector<Episode> taken, left;
  std::int64_t next = 0;
  const std::int64_t all = groups();
  for (std::int64_t group = 0; group < all; ++group) {
    const bool goes = next < count && has_ended(group);
    for (std::int64_t sample = 0; sample < samples_; ++sample) {
      Episode& episode = episodes_[static_cast<std::size_t>(group * samples_ + sample)];
      if (goes) episode.group = next;
      (goes ? taken : left).push_back(std::move(episode));
    }
    next += goes ? 1 : 0;
  }
  HONE_ASSERT(next == count);
  episodes_ = std::move(left);
  return taken;
}

}  // namespace hone
