#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/reward.h"

namespace hone {

/// A penalty for listed words and for personal data in what the policy wrote, in all turns:
///
///     value = −penalty · min(occurrences, most)
///
/// Parts: `words`, and each kind of personal data by its name, as numbers of occurrences. rewards/word_list.h says what
/// a word is, rewards/personal_data.h what is personal data. It finds what has these forms and is no judge of meaning.
class SafetySpec : public RewardSpec {
 public:
  std::vector<std::string> words;
  std::string words_file;
  std::vector<std::string> personal_data{"mail", "phone", "card", "iban", "ipv4"};
  double penalty = 1.0;
  std::int64_t most = 1;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
