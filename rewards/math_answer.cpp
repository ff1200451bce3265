#include "rewards/math_answer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "rewards/math/equivalence.h"
#include "rewards/math/final_answer.h"
#include "rewards/sample_reward.h"

namespace hone {

namespace {

using math::Place;

constexpr std::array<std::string_view, 5> place_names{"boxed", "hashes", "phrase", "number", "whole"};

std::optional<Place> place_of(std::string_view name) {
  const auto found = std::ranges::find(place_names, name);
  if (found == place_names.end()) return std::nullopt;
  return static_cast<Place>(found - place_names.begin());
}

class MathAnswer : public SampleReward {
 public:
  explicit MathAnswer(const MathAnswerSpec& spec) : key_(spec.key), after_(spec.after), options_{spec.tolerance} {
    for (const std::string& name : spec.find) places_.push_back(place_of(name).value());
  }

  std::int64_t calls_at_once() const override { return 2; }

 protected:
  Score judge(const Episode& episode) const override {
    const std::vector<std::string> accepted = accepted_answers(reference_at(episode, key_));
    const std::optional<std::string> given = answer(episode.completion_text());
    const bool right = given && std::ranges::any_of(accepted, [&](const std::string& answer) {
                         return math::equivalent(*given, answer, options_);
                       });
    return {.value = right ? 1.0 : 0.0, .parts = {{"answered", given ? 1.0 : 0.0}}};
  }

 private:
  std::optional<std::string> answer(std::string_view text) const {
    if (!after_.empty()) {
      const std::size_t marker = text.rfind(after_);
      if (marker == std::string_view::npos) return std::nullopt;
      text.remove_prefix(marker + after_.size());
    }
    return math::final_answer(text, places_);
  }

  std::string accepted_answer(const Json& answer) const {
    if (answer.is_number()) return answer.dump();
    if (answer.is_string()) {
      constexpr Place places[] = {Place::boxed, Place::hashes, Place::whole};
      const auto text = math::final_answer(answer.as_string(), places);
      if (text && !text->empty()) return *text;
    }
    fail(ErrorKind::data, "the reference's \"{}\" must hold a number, a text or a list of these, but is {}", key_,
         answer.dump());
  }

  std::vector<std::string> accepted_answers(const Json& reference) const {
    if (!reference.is_array()) return {accepted_answer(reference)};
    std::vector<std::string> answers;
    for (const Json& answer : reference.as_array()) answers.push_back(accepted_answer(answer));
    if (answers.empty()) fail(ErrorKind::data, "the reference's \"{}\" is an empty list", key_);
    return answers;
  }

  std::string key_;
  std::vector<Place> places_;
  std::string after_;
  math::Equivalence options_;
};

}  // namespace

void MathAnswerSpec::describe_reward(Fields& f) {
  f.field("key", key, "Key of the reference that holds the answer.");
  f.field("find", find, "Where the answer is looked for, in this order: boxed, hashes, phrase, number, whole.");
  f.check(!find.empty() && std::ranges::all_of(find, [](const auto& name) { return place_of(name).has_value(); }),
          "find", "expected one or more of \"boxed\", \"hashes\", \"phrase\", \"number\", \"whole\"");
  f.field("after", after, "Text before which nothing counts, such as \"</think>\"; empty looks everywhere.");
  f.field("tolerance", tolerance, "How far two numbers may differ when one has a decimal point.", at_least(0.0));
}

std::unique_ptr<Reward> MathAnswerSpec::make(const Services&) const { return std::make_unique<MathAnswer>(*this); }

}  // namespace hone
