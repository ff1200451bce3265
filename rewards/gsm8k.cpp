#include "rewards/gsm8k.h"

#include <charconv>
#include <cstdint>
#include <optional>

#include "base/error.h"
#include "rewards/pattern.h"
#include "rewards/sample_reward.h"

namespace hone {

namespace {

constexpr std::array<std::string_view, 2> methods{"strict", "flexible"};

std::optional<double> value_of(std::string_view written) {
  std::string digits;
  for (const char c : written) {
    if (c != ',' && c != '$' && c != ' ') digits += c;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() && end == digits.data() + digits.size() ? std::optional(value) : std::nullopt;
}

class Gsm8k : public SampleReward {
 public:
  explicit Gsm8k(const Gsm8kSpec& spec)
      : key_(spec.key),
        strict_(spec.method == Gsm8kSpec::Method::strict),
        marked_(R"(####\s*(-?\s?\$?\s?-?(?:\d[\d,]*)?(?:\.\d+|\d)))", {}),
        number_(R"((?:(?<![\w)])-)?\$?(?:\d[\d,]*)?(?:\.\d+|\d))", {}) {}

  std::int64_t calls_at_once() const override { return 2; }

 protected:
  Score judge(const Episode& episode) const override {
    const double expected = expected_number(reference_at(episode, key_));
    const auto given = strict_ ? marked_number(episode.completion_text()) : last_number(episode.completion_text());
    return {.value = given == expected ? 1.0 : 0.0, .parts = {{"answered", given ? 1.0 : 0.0}}};
  }

 private:
  std::optional<double> marked_number(std::string_view text) const {
    const auto matches = marked_.find_all(text);
    return matches.empty() ? std::nullopt : value_of(*matches.back()[1]);
  }

  std::optional<double> last_number(std::string_view text) const {
    const auto matches = number_.find_all(text);
    return matches.empty() ? std::nullopt : value_of(*matches.back()[0]);
  }

  double expected_number(const Json& reference) const {
    if (reference.is_number()) return reference.as_number();
    if (reference.is_string()) {
      const std::string& text = reference.as_string();
      const bool marked = text.find("####") != std::string::npos;
      if (const auto value = marked ? marked_number(text) : value_of(text)) return *value;
    }
    fail(ErrorKind::data, "the reference's \"{}\" must be a number or end with `#### N`, but is {}", key_,
         reference.dump());
  }

  std::string key_;
  bool strict_;
  Pattern marked_;
  Pattern number_;
};

}  // namespace

void Gsm8kSpec::describe_reward(Fields& f) {
  f.field("key", key, "Key of the reference that holds the solution or the number.");
  f.choice("method", method, methods, "Whether the number must stand after ####, or the last number counts.");
}

std::unique_ptr<Reward> Gsm8kSpec::make(const Services&) const { return std::make_unique<Gsm8k>(*this); }

}  // namespace hone
