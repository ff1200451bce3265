#include "rewards/exact_match.h"

#include <string_view>
#include <vector>

#include "base/error.h"
#include "rewards/pattern.h"
#include "rewards/sample_reward.h"

namespace hone {

namespace {

constexpr std::string_view white_space = " \t\r\n\f\v";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(white_space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

std::string answer_text(const Json& answer) {
  if (answer.is_string()) return answer.as_string();
  if (answer.is_number() || answer.is_bool()) return answer.dump();
  fail(ErrorKind::data, "the answer must be a string, a number, true, false or a list of these, but is {}: {}",
       answer.type_name(), answer.dump());
}

std::vector<std::string> answers_of(const Json& reference) {
  if (!reference.is_array()) return {answer_text(reference)};
  std::vector<std::string> answers;
  for (const Json& answer : reference.as_array()) answers.push_back(answer_text(answer));
  if (answers.empty()) fail(ErrorKind::data, "the list of accepted answers is empty");
  return answers;
}

class ExactMatch : public SampleReward {
 public:
  explicit ExactMatch(const ExactMatchSpec& spec) : key_(spec.key), trim_(spec.trim), ignore_case_(spec.ignore_case) {}

 protected:
  Score judge(const Episode& episode) const override {
    bool found = false;
    for (const std::string& answer : answers_of(reference_at(episode, key_))) {
      found = found || equal(episode.completion_text(), answer);
    }
    return {.value = found ? 1.0 : 0.0};
  }

 private:
  bool equal(std::string_view completion, std::string_view answer) const {
    if (trim_) {
      completion = trimmed(completion);
      answer = trimmed(answer);
    }
    if (!ignore_case_ || answer.empty()) return completion == answer;
    return Pattern(std::string(answer), {.ignore_case = true, .literal = true, .whole = true}).matches(completion);
  }

  std::string key_;
  bool trim_;
  bool ignore_case_;
};

}  // namespace

void ExactMatchSpec::describe_reward(Fields& f) {
  f.field("key", key, "Key of the reference that holds the answer.");
  f.field("trim", trim, "White space around completion and answer does not count.");
  f.field("ignore_case", ignore_case, "Upper and lower case are the same, in every script.");
}

std::unique_ptr<Reward> ExactMatchSpec::make(const Services&) const { return std::make_unique<ExactMatch>(*this); }

}  // namespace hone
