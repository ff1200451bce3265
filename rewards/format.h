#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "flow/reward.h"

namespace hone {

/// 1 when the last completion has the form of a PCRE2 pattern, else 0. Flags are written in the pattern: `(?s)` lets a
/// dot match line ends, `(?i)` ignores case. A text on which the pattern needs too many steps is an error, never a
/// hang.
class FormatSpec : public RewardSpec {
 public:
  enum class Extent { full, partial };
  std::string pattern;
  Extent match = Extent::full;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
