#include "rewards/random_walks.h"

#include <string>

#include "base/error.h"
#include "rewards/sample_reward.h"

namespace hone {

namespace {

class Optimality : public SampleReward {
 protected:
  Score judge(const Episode& episode) const override {
    const std::int64_t most = reference_at(episode, "max_nodes").as_integer();
    const std::int64_t shortest = reference_at(episode, "shortest").as_integer();
    if (shortest < 1 || shortest >= most) {
      fail(ErrorKind::data, "the reference's shortest path has {} nodes; expected 1 to {}", shortest, most - 1);
    }
    const std::string walk = reference_at(episode, "start").as_string() + episode.completion_text();
    const std::int64_t length =
        walk_length(walk, reference_at(episode, "goal").as_string(), reference_at(episode, "next"), most);
    return {.value = static_cast<double>(most - length) / static_cast<double>(most - shortest)};
  }

 private:
  static std::int64_t walk_length(const std::string& walk, const std::string& goal, const Json& next,
                                  std::int64_t most) {
    for (std::size_t i = 0; i + 1 < walk.size() && static_cast<std::int64_t>(i) + 1 < most; ++i) {
      const Json* edges = next.find(walk.substr(i, 1));
      if (edges == nullptr || edges->as_string().find(walk[i + 1]) == std::string::npos) return most;
      if (walk.substr(i + 1, 1) == goal) return static_cast<std::int64_t>(i) + 2;
    }
    return most;
  }
};

}  // namespace

std::unique_ptr<Reward> RandomWalksRewardSpec::make(const Services&) const { return std::make_unique<Optimality>(); }

}  // namespace hone
