#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/stop.h"
#include "rollout/scoring.h"

namespace hone {

namespace {

using Verdicts = std::vector<Score>;

/// Never throws: what a reward throws is an error of each episode.
Verdicts call_reward(Reward& reward, std::span<const Episode> episodes) {
  try {
    throw_if_stopped();  // what is said now is never used
    Verdicts scores = reward.score(episodes);
    if (scores.size() == episodes.size()) return scores;
    const std::string why = fmt::format("returned {} scores for {} episodes", scores.size(), episodes.size());
    return Verdicts(episodes.size(), Score::error(why, "protocol"));
  } catch (const std::exception& error) {
    return Verdicts(episodes.size(), Score::error(error.what(), "exception"));
  }
}

}  // namespace

/// The calls of one reward on threads of its own. Episodes are named by their index.
struct Scoring::Background {
  Background(RewardSum::Part& part, std::span<const Episode> its_episodes, Verdicts& its_verdicts)
      : reward(*part.reward), permits(*part.permits), episodes(its_episodes), verdicts(its_verdicts) {
    for (std::int64_t i = 0; i < reward.calls_at_once(); ++i) threads.emplace_back([this] { work(); });
  }

  ~Background() {
    {
      const std::lock_guard lock(mutex);
      queue.clear();
      closed = true;
    }
    changed.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

  void add(std::size_t first, std::size_t count) {
    {
      const std::lock_guard lock(mutex);
      for (std::size_t i = first; i < first + count; ++i) queue.push_back(i);
    }
    changed.notify_all();
  }

  void wait_until_done() {
    std::unique_lock lock(mutex);
    complete = true;
    changed.notify_all();
    changed.wait(lock, [this] { return queue.empty() && running == 0; });
  }

 private:
  /// What the next call takes: a group, everything, or this thread's share of what waits. Empty when nothing may start.
  std::vector<std::size_t> take() {
    std::size_t count = 0;
    const RewardScope scope = reward.scope();
    if (queue.empty() || (scope == RewardScope::batch && !complete)) return {};
    if (scope == RewardScope::batch) {
      count = queue.size();
    } else if (scope == RewardScope::group) {
      const std::int64_t group = episodes[queue.front()].group;
      while (count < queue.size() && episodes[queue[count]].group == group) ++count;
    } else {
      const std::size_t idle = threads.size() - running;
      count = (queue.size() + idle - 1) / idle;
      if (reward.call_size() > 0) count = std::min(count, static_cast<std::size_t>(reward.call_size()));
    }
    std::vector<std::size_t> taken(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(count));
    queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(count));
    return taken;
  }

  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      std::vector<std::size_t> taken;
      changed.wait(lock, [&] {
        taken = take();
        return !taken.empty() || closed;
      });
      if (taken.empty()) return;
      ++running;
      lock.unlock();
      std::vector<Episode> copies;
      copies.reserve(taken.size());
      for (const std::size_t i : taken) copies.push_back(episodes[i]);
      permits.acquire();
      Verdicts scores = call_reward(reward, copies);
      permits.release();
      lock.lock();
      for (std::size_t i = 0; i < taken.size(); ++i) verdicts[taken[i]] = std::move(scores[i]);
      --running;
      changed.notify_all();
    }
  }

  Reward& reward;
  std::counting_semaphore<>& permits;
  std::span<const Episode> episodes;
  Verdicts& verdicts;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::size_t> queue;  ///< in the order of the episodes' readiness
  std::size_t running = 0;        ///< calls under way
  bool complete = false;          ///< every episode has been added
  bool closed = false;
  std::vector<std::thread> threads;
};

Scoring::Scoring(RewardSum& rewards, std::span<Episode> episodes)
    : rewards_(rewards), episodes_(episodes), told_(episodes.size(), false) {
  verdicts_.assign(rewards.parts_.size(), RewardSum::Verdicts(episodes.size()));
  for (std::size_t p = 0; p < rewards.parts_.size(); ++p) {
    RewardSum::Part& part = rewards.parts_[p];
    background_.push_back(
        part.reward->calls_at_once() > 0 ? std::make_unique<Background>(part, episodes, verdicts_[p]) : nullptr);
  }
}

Scoring::~Scoring() = default;

void Scoring::ready(std::size_t first, std::size_t count) {
  for (std::size_t i = first; i < first + count; ++i) told_[i] = true;
  for (const auto& background : background_) {
    if (background != nullptr) background->add(first, count);
  }
}

void Scoring::finish(ScoreUse use) {
  for (std::size_t begin = 0; begin < told_.size();) {
    std::size_t end = begin + 1;
    while (end < told_.size() && told_[end] == told_[begin]) ++end;
    if (!told_[begin]) ready(begin, end - begin);
    begin = end;
  }
  for (std::size_t p = 0; p < background_.size(); ++p) {
    if (background_[p] != nullptr) continue;
    Reward& reward = *rewards_.parts_[p].reward;
    for (std::size_t begin = 0; begin < episodes_.size();) {
      std::size_t end = reward.scope() == RewardScope::group ? begin + 1 : episodes_.size();
      while (end < episodes_.size() && episodes_[end].group == episodes_[begin].group) ++end;
      std::ranges::move(call_reward(reward, episodes_.subspan(begin, end - begin)),
                        verdicts_[p].begin() + static_cast<std::ptrdiff_t>(begin));
      begin = end;
    }
  }
  for (const auto& background : background_) {
    if (background != nullptr) background->wait_until_done();
  }
  throw_if_stopped();  // a signal ends calls early: what they left is no score
  rewards_.combine(episodes_, verdicts_, use);
}

}  // namespace hone
