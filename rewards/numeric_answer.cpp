#include "rewards/numeric_answer.h"

#include <cmath>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "rewards/number.h"
#include "rewards/sample_reward.h"

namespace hone {

namespace {

class NumericAnswer : public SampleReward {
 public:
  explicit NumericAnswer(const NumericAnswerSpec& spec)
      : key_(spec.key), after_(spec.after), tolerance_(spec.tolerance) {}

 protected:
  Score judge(const Episode& episode) const override {
    const double expected = reference_number(reference_at(episode, key_));
    const std::optional<double> given = answer(episode.completion_text());
    return {.value = given && std::abs(*given - expected) <= tolerance_ ? 1.0 : 0.0};
  }

 private:
  std::optional<double> answer(std::string_view text) const {
    if (!after_.empty()) {
      const std::size_t marker = text.rfind(after_);
      if (marker == std::string_view::npos) return std::nullopt;
      text.remove_prefix(marker + after_.size());
    }
    if (const auto boxed = last_boxed(text)) return last_number(*boxed);
    return after_.empty() ? last_number(text) : first_number(text);
  }

  double reference_number(const Json& reference) const {
    if (reference.is_number() && std::isfinite(reference.as_number())) return reference.as_number();
    if (reference.is_string()) {
      const std::string& text = reference.as_string();
      const bool marked = !after_.empty() && text.find(after_) != std::string::npos;
      const auto boxed = last_boxed(text);
      const auto value = marked ? answer(text) : last_number(boxed.value_or(text));
      if (value) return *value;
    }
    fail(ErrorKind::data, "the reference's \"{}\" must hold a number, but is {}", key_, reference.dump());
  }

  std::string key_;
  std::string after_;
  double tolerance_;
};

}  // namespace

void NumericAnswerSpec::describe_reward(Fields& f) {
  f.field("key", key, "Key of the reference that holds the number.");
  f.field("after", after, "Text that opens the answer, such as \"####\" or \"</think>\"; empty looks everywhere.");
  f.field("tolerance", tolerance, "Largest difference that still counts as equal.", at_least(0.0));
}

std::unique_ptr<Reward> NumericAnswerSpec::make(const Services&) const {
  return std::make_unique<NumericAnswer>(*this);
}

}  // namespace hone
