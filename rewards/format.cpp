#include "rewards/format.h"

#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "rewards/pattern.h"
#include "rewards/sample_reward.h"

namespace hone {

namespace {

constexpr std::array<std::string_view, 2> extents{"full", "partial"};

class Format : public SampleReward {
 public:
  explicit Format(Pattern pattern) : pattern_(std::move(pattern)) {}

  std::int64_t calls_at_once() const override { return 2; }

 protected:
  Score judge(const Episode& episode) const override {
    return {.value = pattern_.matches(episode.completion_text()) ? 1.0 : 0.0};
  }

 private:
  Pattern pattern_;
};

}  // namespace

void FormatSpec::describe_reward(Fields& f) {
  f.field("pattern", pattern, "Regular expression in PCRE2's syntax.");
  f.required();
  f.choice("match", match, extents, "Whether the pattern must cover the whole completion or only occur in it.");
}

std::unique_ptr<Reward> FormatSpec::make(const Services&) const {
  try {
    return std::make_unique<Format>(Pattern(pattern, {.whole = match == Extent::full}));
  } catch (const Error& error) {
    fail(ErrorKind::config, "reward {}: {}", name, error.what());
  }
}

}  // namespace hone
