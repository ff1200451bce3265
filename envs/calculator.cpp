#include "envs/calculator.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "envs/expression.h"
#include "envs/permutation.h"
#include "envs/tool_call.h"

namespace hone {

namespace {

constexpr std::uint64_t split_seed = 0;  // not the run's seed: what is held out must not depend on it

constexpr std::string_view tool = "calculate";
constexpr std::string_view how_to =
    "Work out the answer. You may use a calculator, like this:\n"
    "<tool_call>{\"name\": \"calculate\", \"arguments\": {\"expression\": \"2*(3+4)\"}}</tool_call>\n"
    "Its result comes back to you. At last write the answer as a number.\n\n";

/// {0}, {1} and {2} are the numbers.
struct Template {
  std::string_view sort;
  std::string_view text;
  std::string_view expression;
};

constexpr std::array<Template, 8> templates{{
    {"numbers", "What is {0} * {1} + {2}?", "{0}*{1}+{2}"},
    {"numbers", "What is {0} * {1} - {2}?", "{0}*{1}-{2}"},
    {"numbers", "What is ({0} + {1}) * {2}?", "({0}+{1})*{2}"},
    {"numbers", "What is ({0} - {1}) * {2}?", "({0}-{1})*{2}"},
    {"words", "There are {0} crates of {1} apples each and {2} apples on the table. How many apples are there?",
     "{0}*{1}+{2}"},
    {"words", "{0} adults and {1} children each pay {2} coins. How many coins do they pay together?", "({0}+{1})*{2}"},
    {"words", "A printer makes {0} pages a minute for {1} minutes; before that it had made {2} pages. How many in all?",
     "{0}*{1}+{2}"},
    {"words", "{0} red and {1} blue boxes hold {2} pens each. How many pens is that?", "({0}+{1})*{2}"},
}};

/// The last number that the text writes, "1,234.5" or "-7"; a minus counts where nothing is subtracted.
std::optional<double> last_number(std::string_view text) {
  const std::size_t last = text.find_last_of("0123456789");
  if (last == std::string_view::npos) return std::nullopt;
  const std::size_t before = text.substr(0, last + 1).find_last_not_of("0123456789.,");
  std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  std::string digits;
  for (std::size_t i = begin; i <= last; ++i) {
    if (text[i] != ',') digits += text[i];
  }
  double value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
  const bool minus = begin > 0 && text[begin - 1] == '-';
  const bool subtracts = begin > 1 && (text[begin - 2] == ')' || (text[begin - 2] >= '0' && text[begin - 2] <= '9'));
  return minus && !subtracts ? -value : value;
}

class Calculator : public Environment {
 public:
  Calculator(const CalculatorSpec& spec, std::uint64_t seed)
      : spec_(spec),
        numbers_(number_count(spec)),
        templates_(templates_of(spec.problems)),
        held_out_(static_cast<std::uint64_t>(spec.held_out)),
        split_(stream_key(split_seed, "calculator.split"), problem_count(spec)),
        order_(stream_key(seed, "calculator.order"), problem_count(spec) - held_out_) {}

  /// Numbers from 2 on: 0 and 1 would make different expressions equal.
  static std::uint64_t number_count(const CalculatorSpec& spec) {
    std::uint64_t count = 1;
    for (std::int64_t i = 0; i < spec.digits; ++i) count *= 10;
    return count - 2;
  }

  static std::uint64_t problem_count(const CalculatorSpec& spec) {
    const std::uint64_t numbers = number_count(spec);
    return templates_of(spec.problems).size() * numbers * numbers * numbers;
  }

  std::uint64_t size(Split split) const override { return split == Split::held_out ? held_out_ : order_.size(); }

  Prompt prompt(Split split, std::uint64_t index) const override {
    HONE_ASSERT(index < size(split));
    std::uint64_t problem = split_(split == Split::held_out ? index : held_out_ + order_(index));
    std::array<std::uint64_t, 3> numbers{};
    for (std::uint64_t& number : numbers) {
      number = 2 + problem % numbers_;
      problem /= numbers_;
    }
    const Template& chosen = *templates_[problem];
    const auto filled = [&](std::string_view text) {
      return fmt::format(fmt::runtime(text), numbers[0], numbers[1], numbers[2]);
    };
    const std::string expression = filled(chosen.expression);
    Json reference = Json::object();
    reference.set("answer", number_text(calculate(expression).value.value()));
    reference.set("expression", expression);
    return {.id = prompt_id(split, index),
            .split = split,
            .text = fmt::format("{}{}\n", spec_.instructions ? how_to : "", filled(chosen.text)),
            .reference = std::move(reference)};
  }

  std::optional<std::string> demonstration(const Prompt& prompt) const override {
    Json arguments = Json::object();
    arguments.set("expression", prompt.reference.at("expression"));
    Json call = Json::object();
    call.set("name", tool);
    call.set("arguments", std::move(arguments));
    return fmt::format("<tool_call>{}</tool_call>", call.dump());
  }

  Step step(const Episode& episode) override {
    const std::string& text = episode.completion_text();
    std::vector<ToolCall> calls = tool_calls(text, spec_.calls);
    if (calls.empty()) {
      const auto answer = calculate(episode.prompt.reference.at("answer").as_string()).value;
      const auto given = last_number(text);
      return {.done = true, .reply = {}, .reward = given && given == answer ? 1.0 : 0.0};
    }
    std::string reply;
    bool failed = false;
    for (ToolCall& call : calls) {
      const std::string result = response(call);
      failed = failed || !call.error.empty();
      reply += tool_response(result);
    }
    const bool last = static_cast<std::int64_t>(episode.turns.size()) >= spec_.turns;
    return {.done = last, .reply = last ? std::string() : reply, .reward = failed ? -spec_.error_cost : 0.0};
  }

 private:
  static std::vector<const Template*> templates_of(const std::vector<std::string>& sorts) {
    std::vector<const Template*> chosen;
    for (const Template& one : templates) {
      if (std::ranges::find(sorts, one.sort) != sorts.end()) chosen.push_back(&one);
    }
    return chosen;
  }

  /// The result of the call, or its error as the policy shall see it.
  static std::string response(ToolCall& call) {
    if (call.error.empty() && call.name != tool) {
      call.error = fmt::format("there is no tool \"{}\"; there is \"{}\"", call.name, tool);
    }
    std::string expression;
    if (call.error.empty()) expression = text_argument(call, "expression");
    if (call.error.empty()) {
      const Calculated result = calculate(expression);
      if (result.value) return number_text(*result.value);
      call.error = result.error;
    }
    return "error: " + call.error;
  }

  CalculatorSpec spec_;
  std::uint64_t numbers_;
  std::vector<const Template*> templates_;
  std::uint64_t held_out_;
  Permutation split_;
  Permutation order_;
};

bool sorts_valid(const std::vector<std::string>& sorts) {
  const std::set<std::string> distinct(sorts.begin(), sorts.end());
  return !sorts.empty() && distinct.size() == sorts.size() &&
         std::ranges::all_of(sorts, [](const std::string& sort) { return sort == "numbers" || sort == "words"; });
}

}  // namespace

void CalculatorSpec::describe(Fields& f) {
  f.field("problems", problems, "Sorts of problems: numbers (What is 3 * 4 + 5?), words (crates of apples).");
  const bool sorts_ok = sorts_valid(problems);
  f.check(sorts_ok, "problems", "expected \"numbers\", \"words\" or both, each once");
  f.field("digits", digits, "Digits of the largest numbers; the smallest is 2.", between(1, 4));
  f.field("held_out", held_out, "Problems that are never trained on.", at_least(1));
  if (sorts_ok && digits >= 1 && digits <= 4) {
    const auto most = static_cast<std::int64_t>(Calculator::problem_count(*this) / 2);
    f.check(held_out <= most, "held_out",
            fmt::format("holds out more than half of the problems; at most {} for these", most));
  }
  f.field("turns", turns, "Completions before the episode ends.", between(1, 100));
  f.field("calls", calls, "Tool calls that a turn may have.", between(1, 100));
  f.field("error_cost", error_cost, "What a turn with a failed call costs.", at_least(0.0));
  f.field("instructions", instructions, "Opens each prompt with how to call the calculator.");
}

std::unique_ptr<Environment> CalculatorSpec::make(const Services& services) const {
  return std::make_unique<Calculator>(*this, services.seed);
}

}  // namespace hone
