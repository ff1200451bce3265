#include "rewards/repetition.h"

#include <string>
#include <unordered_set>
#include <vector>

#include "rewards/sample_reward.h"

namespace hone {

namespace {

class Repetition : public SampleReward {
 public:
  explicit Repetition(const RepetitionSpec& spec) : n_(spec.n), unit_(spec.unit), penalty_(spec.penalty) {}

 protected:
  Score judge(const Episode& episode) const override {
    const std::vector<std::string> ngrams = NgramReader(unit_, n_).read(episode);
    if (ngrams.empty()) return {.value = 0.0};
    const std::unordered_set<std::string> distinct(ngrams.begin(), ngrams.end());
    const double repeated = 1.0 - static_cast<double>(distinct.size()) / static_cast<double>(ngrams.size());
    return {.value = repeated == 0.0 ? 0.0 : -penalty_ * repeated};
  }

 private:
  std::int64_t n_;
  Unit unit_;
  double penalty_;
};

}  // namespace

void RepetitionSpec::describe_reward(Fields& f) {
  f.field("n", n, "Length of the n-grams.", between(1, 100));
  f.choice("unit", unit, unit_names, "What n-grams are made of.");
  f.field("penalty", penalty, "Penalty when every n-gram is the same, in the limit.", at_least(0.0));
}

std::unique_ptr<Reward> RepetitionSpec::make(const Services&) const { return std::make_unique<Repetition>(*this); }

}  // namespace hone
