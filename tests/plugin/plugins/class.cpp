// A class that judges whole groups: the longest completion gets 1.
#include <hone/plugin.hpp>

#include <algorithm>

using namespace hone::plugin;

class Longest {
 public:
  static constexpr Traits traits = Traits("longest").scope(Scope::group).threads(Threads::per_instance);

  explicit Longest(const Setup& setup)
      : missing_(setup.call.config("missing", "0") == "1"), bonus_(setup.call.config_number("bonus", 0)) {
    setup.call.info("made for " + std::string(setup.name));
  }

  std::vector<Score> score(const std::vector<Item>& items) {
    std::size_t longest = 0;
    for (const Item& item : items) longest = std::max(longest, item.token_count());
    std::vector<Score> scores;
    for (const Item& item : items) {
      Score score = (item.token_count() == longest ? 1.0 : 0.0) + bonus_;
      score.part("tokens", static_cast<double>(item.token_count())).note("of " + std::to_string(items.size()));
      if (item.token_count() > 2) score.span(0, 2, 0.25);
      scores.push_back(item.finish == Finish::abort ? Score::abstain("abandoned") : score);
      item.call.metric("length", static_cast<double>(item.token_count()));
    }
    if (missing_) scores.pop_back();
    return scores;
  }

 private:
  bool missing_;
  double bonus_;
};

HONE_REWARD_CLASS(Longest)
