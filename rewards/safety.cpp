#include "rewards/safety.h"

#include <algorithm>

#include "base/error.h"
#include "rewards/personal_data.h"
#include "rewards/sample_reward.h"
#include "rewards/word_list.h"

namespace hone {

namespace {

std::vector<std::string> entries_of(const SafetySpec& spec) {
  std::vector<std::string> entries = spec.words;
  if (!spec.words_file.empty()) {
    for (std::string& entry : word_list_file(spec.words_file)) entries.push_back(std::move(entry));
  }
  return entries;
}

class Safety : public SampleReward {
 public:
  explicit Safety(const SafetySpec& spec) : words_(entries_of(spec)), penalty_(spec.penalty), most_(spec.most) {
    for (const std::string& name : spec.personal_data) {
      const auto kind = std::ranges::find(personal_data_names, name) - personal_data_names.begin();
      finders_.emplace_back(static_cast<PersonalData>(kind));
    }
  }

  std::int64_t calls_at_once() const override { return 2; }

 protected:
  Score judge(const Episode& episode) const override {
    std::int64_t all = 0;
    Score score;
    const auto add = [&](std::string name, const auto& finder) {
      std::int64_t found = 0;
      for (const Turn& turn : episode.turns) found += finder.count(turn.completion.text);
      score.parts.emplace_back(std::move(name), static_cast<double>(found));
      all += found;
    };
    add("words", words_);
    for (const PersonalDataFinder& finder : finders_) {
      add(std::string(personal_data_names[static_cast<std::size_t>(finder.kind())]), finder);
    }
    if (all > 0) score.value = -penalty_ * static_cast<double>(std::min(all, most_));
    return score;
  }

 private:
  WordList words_;
  std::vector<PersonalDataFinder> finders_;
  double penalty_;
  std::int64_t most_;
};

}  // namespace

void SafetySpec::describe_reward(Fields& f) {
  f.field("words", words, "Words and phrases that are not to be written.");
  f.field("words_file", words_file, "A file with more of them, one a line; # opens a comment line.");
  f.field("personal_data", personal_data, "Kinds of personal data to look for: mail, phone, card, iban, ipv4.");
  const bool known = std::ranges::all_of(personal_data, [](const std::string& name) {
    return std::ranges::find(personal_data_names, name) != personal_data_names.end();
  });
  f.check(known, "personal_data", "expected some of \"mail\", \"phone\", \"card\", \"iban\", \"ipv4\"");
  f.check(!words.empty() || !words_file.empty() || !personal_data.empty(), "words",
          "nothing to look for: set `words`, `words_file` or `personal_data`");
  f.field("penalty", penalty, "Size of the penalty of one occurrence.", at_least(0.0));
  f.field("most", most, "Occurrences beyond this many cost no more.", at_least(1));
}

std::unique_ptr<Reward> SafetySpec::make(const Services&) const {
  try {
    return std::make_unique<Safety>(*this);
  } catch (const Error& error) {
    fail(error.kind(), "reward {}: {}", name, error.what());
  }
}

}  // namespace hone
