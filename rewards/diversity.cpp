#include "rewards/diversity.h"

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"

namespace hone {

namespace {

class Diversity : public Reward {
 public:
  explicit Diversity(const DiversitySpec& spec) : n_(spec.n), unit_(spec.unit) {}

  RewardScope scope() const override { return RewardScope::group; }

  std::vector<Score> score(std::span<const Episode> episodes) override {
    std::map<std::int64_t, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < episodes.size(); ++i) groups[episodes[i].group].push_back(i);
    std::vector<Score> scores(episodes.size());
    for (const auto& [group, members] : groups) score_group(episodes, members, scores);
    return scores;
  }

 private:
  void score_group(std::span<const Episode> episodes, std::span<const std::size_t> members,
                   std::vector<Score>& scores) const {
    NgramReader reader(unit_, n_);
    std::vector<std::vector<std::string>> ngrams;
    std::unordered_map<std::string, double> occurrences;
    std::size_t total = 0;
    for (const std::size_t member : members) {
      ngrams.push_back(reader.read(episodes[member]));
      for (const std::string& ngram : ngrams.back()) occurrences[ngram] += 1.0;
      total += ngrams.back().size();
    }
    const double distinct = static_cast<double>(occurrences.size()) / static_cast<double>(total);
    for (std::size_t i = 0; i < members.size(); ++i) {
      Score& score = scores[members[i]];
      if (ngrams[i].empty()) {
        score = Score::abstain(fmt::format("fewer than {} {}", n_, unit_names[static_cast<std::size_t>(unit_)]));
        continue;
      }
      for (const std::string& ngram : ngrams[i]) score.value += 1.0 / occurrences[ngram];
      score.value /= static_cast<double>(ngrams[i].size());
      score.parts.emplace_back("distinct", distinct);
    }
  }

  std::int64_t n_;
  Unit unit_;
};

}  // namespace

void DiversitySpec::describe_reward(Fields& f) {
  f.field("n", n, "Length of the n-grams.", between(1, 100));
  f.choice("unit", unit, unit_names, "What n-grams are made of.");
}

std::unique_ptr<Reward> DiversitySpec::make(const Services&) const { return std::make_unique<Diversity>(*this); }

}  // namespace hone
