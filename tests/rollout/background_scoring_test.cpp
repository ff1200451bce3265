#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include "rollout/function_reward.h"
#include "rollout/scoring.h"
#include "support/episodes.h"
#include "support/error_of.h"

using namespace hone;
using namespace hone::test;

namespace {

using namespace std::chrono_literals;

/// `groups` groups of two: "0a", "0b", "1a" …
std::vector<Episode> pairs(std::int64_t groups) {
  std::vector<Episode> episodes;
  for (std::int64_t group = 0; group < groups; ++group) {
    for (const char* name : {"a", "b"}) episodes.push_back(in_group(group, episode(std::to_string(group) + name)));
  }
  return episodes;
}

double number_in(const Episode& episode) { return std::stod(episode.completion_text()); }

std::vector<Score> numbers_of(std::span<const Episode> episodes) {
  std::vector<Score> scores;
  for (const Episode& episode : episodes) scores.push_back({.value = number_in(episode)});
  return scores;
}

/// A reward with threads of its own.
std::unique_ptr<RewardSpec> in_background(ScoreAll score, std::int64_t calls, RewardScope scope = RewardScope::sample,
                                          std::int64_t call_size = 0) {
  auto spec = std::make_unique<FunctionReward>("slow", std::move(score), 1, scope);
  spec->calls_at_once = calls;
  spec->call_size = call_size;
  return spec;
}

bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 2000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

}  // namespace

TEST_CASE("rollout: a group is scored as soon as it is ready, whatever the order") {
  std::mutex mutex;
  std::vector<std::string> calls;
  const auto list = rewards_of(in_background(
      [&](std::span<const Episode> episodes) {
        const std::lock_guard lock(mutex);
        for (const Episode& episode : episodes) calls.push_back(episode.completion_text());
        return numbers_of(episodes);
      },
      1, RewardScope::group));
  RewardSum rewards(list, {});
  std::vector<Episode> episodes = pairs(3);
  Scoring scoring(rewards, episodes);
  const auto seen = [&](std::size_t count) {
    return eventually([&] {
      const std::lock_guard lock(mutex);
      return calls.size() == count;
    });
  };
  scoring.ready(4, 2);
  CHECK(seen(2));
  scoring.ready(0, 2);
  CHECK(seen(4));
  scoring.finish(ScoreUse::training);  // the middle one was never told: it is scored now
  CHECK(calls == std::vector<std::string>{"2a", "2b", "0a", "0b", "1a", "1b"});
  for (const Episode& episode : episodes) CHECK(episode.score.value == number_in(episode));
}

TEST_CASE("rollout: calls run at once, and the scores are those of one call") {
  std::atomic<int> running = 0, most = 0;
  const auto list = rewards_of(in_background(
      [&](std::span<const Episode> episodes) {
        const int now = ++running;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        CHECK(episodes.size() <= 3);
        std::this_thread::sleep_for(std::chrono::milliseconds(5 + 20 * (episodes[0].group % 3)));
        --running;
        return numbers_of(episodes);
      },
      4, RewardScope::sample, 3));
  RewardSum rewards(list, {});
  std::vector<Episode> episodes = pairs(20);
  rewards.score(episodes);
  CHECK(most > 1);
  CHECK(most <= 4);
  for (const Episode& episode : episodes) CHECK(episode.score.value == number_in(episode));
}

TEST_CASE("rollout: a reward of the whole batch waits for all of it") {
  std::atomic<int> calls = 0;
  const auto list = rewards_of(in_background(
      [&](std::span<const Episode> episodes) {
        ++calls;
        CHECK(episodes.size() == 6);
        return numbers_of(episodes);
      },
      2, RewardScope::batch));
  RewardSum rewards(list, {});
  std::vector<Episode> episodes = pairs(3);
  Scoring scoring(rewards, episodes);
  scoring.ready(0, 2);
  std::this_thread::sleep_for(20ms);
  CHECK(calls == 0);
  scoring.finish(ScoreUse::training);
  CHECK(calls == 1);
  CHECK(episodes[5].score.value == 2);
}

TEST_CASE("rollout: two collections share the calls that a reward may have") {
  std::atomic<int> running = 0, most = 0;
  const auto list = rewards_of(in_background(
      [&](std::span<const Episode> episodes) {
        most = std::max<int>(most, ++running);
        std::this_thread::sleep_for(10ms);
        --running;
        return numbers_of(episodes);
      },
      1, RewardScope::group));
  RewardSum rewards(list, {});
  std::vector<Episode> first = pairs(4), second = pairs(4);
  Scoring one(rewards, first), other(rewards, second);
  one.ready(0, 8);
  other.ready(0, 8);
  one.finish(ScoreUse::training);
  other.finish(ScoreUse::training);
  CHECK(most == 1);
}

TEST_CASE("rollout: a collection that is given up waits for its calls and drops the rest") {
  std::atomic<int> calls = 0;
  const auto list = rewards_of(in_background(
      [&](std::span<const Episode> episodes) {
        ++calls;
        std::this_thread::sleep_for(30ms);
        return numbers_of(episodes);
      },
      1, RewardScope::group));
  RewardSum rewards(list, {});
  std::vector<Episode> episodes = pairs(50);
  {
    Scoring scoring(rewards, episodes);
    scoring.ready(0, 100);
    CHECK(eventually([&] { return calls > 0; }));
  }
  CHECK(calls < 25);
}

TEST_CASE("rollout: what a reward throws on its own thread is an error of its episodes") {
  const auto list = rewards_of(in_background(
      [](std::span<const Episode> episodes) -> std::vector<Score> {
        if (episodes[0].group == 1) throw std::runtime_error("out of order");
        return numbers_of(episodes);
      },
      2, RewardScope::group));
  RewardSum rewards(list, {});
  std::vector<Episode> episodes = pairs(3);
  rewards.score(episodes);
  CHECK(count_errors(episodes) == 2);
  CHECK(episodes[2].score.note == "slow: out of order");
  CHECK(rewards.take_metrics() == std::vector<std::pair<std::string, double>>{{"rewards/slow/errors/exception", 2}});
  CHECK(rewards.take_metrics().empty());
}

TEST_CASE("rollout: a gate leaves a reward out where another one is not above its bound") {
  auto gated = reward_of("gated", [](const Episode&) { return Score{.value = 10}; });
  gated->term.only_if = "number";
  gated->term.only_if_above = 0.5;
  const auto list = rewards_of(std::move(gated), reward_of("number", [](const Episode& e) { return Score{.value = number_in(e)}; }));
  std::vector<Episode> episodes = pairs(2);
  RewardSum(list, {}).score(episodes);
  CHECK(episodes[0].score.value == 0);
  CHECK(episodes[0].score.parts.size() == 1);
  CHECK(episodes[2].score.value == 11);
  CHECK(count_errors(episodes) == 0);
  auto unknown = reward_of("a", [](const Episode&) { return Score{}; });
  unknown->term.only_if = "b";
  const auto wrong = rewards_of(std::move(unknown));
  HONE_CHECK_ERROR(config, RewardSum(wrong, {}), "only_if", "'b'");
}

TEST_CASE("rollout: values are clipped, normalised and weighted in this order; evaluation does not normalise") {
  auto number = reward_of("number", [](const Episode& e) { return Score{.value = number_in(e)}; }, 2);
  number->term.clip = {0, 3};
  number->term.normalize = Normalize::batch;
  const auto list = rewards_of(std::move(number));
  RewardSum rewards(list, {});
  std::vector<Episode> episodes = pairs(5);  // 0 0 1 1 2 2 3 3 4 4, clipped at 3
  rewards.score(episodes);
  const double mean = 1.8, deviation = std::sqrt(13.6 / 9);
  CHECK(episodes[0].score.value == doctest::Approx(2 * (0 - mean) / deviation).epsilon(1e-5));
  CHECK(episodes[9].score.value == doctest::Approx(2 * (3 - mean) / deviation).epsilon(1e-5));
  CHECK(episodes[9].score.parts[0].second == 4);
  rewards.score(episodes, ScoreUse::evaluation);
  CHECK(episodes[9].score.value == 6);
}

TEST_CASE("rollout: running statistics go on over collections and through a checkpoint") {
  auto number = reward_of("number", [](const Episode& e) { return Score{.value = number_in(e)}; });
  number->term.normalize = Normalize::running;
  const auto list = rewards_of(std::move(number));
  RewardSum whole(list, {}), before(list, {}), after(list, {});
  std::vector<Episode> first = pairs(4), second = pairs(7), again = pairs(7);
  whole.score(first);
  before.score(first);
  after.restore_statistics(before.statistics());
  std::vector<Episode> evaluated = pairs(3);
  after.score(evaluated, ScoreUse::evaluation);  // leaves no trace
  whole.score(second);
  after.score(again);
  for (std::size_t i = 0; i < second.size(); ++i) CHECK(second[i].score.value == again[i].score.value);
  CHECK(whole.statistics() == after.statistics());
}

TEST_CASE("rollout: weights move in a straight line and stay at their end") {
  RewardTerm term;
  term.weight = 1;
  term.weight_end = 0;
  term.weight_iterations = 4;
  CHECK(term.weight_at(0) == 1);
  CHECK(term.weight_at(1) == 0.75);
  CHECK(term.weight_at(4) == 0);
  CHECK(term.weight_at(100) == 0);
}

TEST_CASE("rollout: an episode whose environment failed is an error, whatever the rewards say") {
  const auto list = rewards_of(reward_of("one", [](const Episode&) { return Score{.value = 1}; }));
  std::vector<Episode> episodes = pairs(1);
  episodes[0].failure = "environment game: took too long";
  RewardSum(list, {}).score(episodes);
  CHECK(episodes[0].score.status == ScoreStatus::error);
  CHECK(episodes[0].score.note.find("took too long") != std::string::npos);
  CHECK(episodes[1].score.status == ScoreStatus::ok);
}
