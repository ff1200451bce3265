#include "envs/arithmetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "envs/permutation.h"

namespace hone {

namespace {

constexpr std::array<std::string_view, 3> known_operations{"+", "-", "*"};
constexpr std::uint64_t split_seed = 0;  // not the run's seed: what is held out must not depend on it

bool commutes(char operation) { return operation != '-'; }

/// The triangle below the diagonal, row by row: (1,0) (2,0) (2,1) (3,0) … as the pair (row, column) at position u.
std::pair<std::uint64_t, std::uint64_t> below_diagonal(std::uint64_t u) {
  auto row = static_cast<std::uint64_t>((1.0 + std::sqrt(1.0 + 8.0 * static_cast<double>(u))) / 2.0);
  while (row * (row - 1) / 2 > u) --row;  // the root is rounded when u exceeds 53 bits
  while (row * (row + 1) / 2 <= u) ++row;
  return {row, u - row * (row - 1) / 2};
}

/// The operands [low, low + count).
struct Operands {
  std::uint64_t low = 0;
  std::uint64_t count = 0;
};

Operands operands_of(std::int64_t min_digits, std::int64_t max_digits) {
  const auto power_of_ten = [](std::int64_t exponent) {
    std::uint64_t value = 1;
    for (std::int64_t i = 0; i < exponent; ++i) value *= 10;
    return value;
  };
  const std::uint64_t low = min_digits <= 1 ? 0 : power_of_ten(min_digits - 1);
  return {low, power_of_ten(max_digits) - low};
}

struct Problem {
  std::uint64_t left = 0;
  std::uint64_t right = 0;
  char operation = '+';

  std::string text() const { return fmt::format("{}{}{}=", left, operation, right); }
  std::string answer() const {
    const auto a = static_cast<std::int64_t>(left);
    const auto b = static_cast<std::int64_t>(right);
    return fmt::to_string(operation == '+' ? a + b : operation == '-' ? a - b : a * b);
  }
};

/// The problems of one operation. A unit is what no split may tear apart: {a+b, b+a} with a ≠ b where the operation
/// commutes, else one a-b with a ≠ b. The first `held_out` units of a fixed random order are held out, each in one of
/// its orders; training has all orders of the other units and the doubles a+a.
class Operation {
 public:
  Operation(char symbol, Operands operands, std::uint64_t held_out)
      : symbol_(symbol),
        operands_(operands),
        held_out_(held_out),
        units_(stream_key(split_seed, fmt::format("arithmetic.split{}", symbol)), units(symbol, operands)) {}

  static std::uint64_t units(char symbol, Operands operands) {
    const std::uint64_t ordered = operands.count * (operands.count - 1);
    return commutes(symbol) ? ordered / 2 : ordered;
  }

  std::uint64_t train_size() const { return (units_.size() - held_out_) * orders() + operands_.count; }

  Problem held_out(std::uint64_t i) const { return unit(units_(i), i % 2 == 1); }

  Problem train(std::uint64_t i) const {
    if (i < operands_.count) return pair(i, i);
    i -= operands_.count;
    return unit(units_(held_out_ + i / orders()), i % orders() == 1);
  }

 private:
  std::uint64_t orders() const { return commutes(symbol_) ? 2 : 1; }
  Problem pair(std::uint64_t i, std::uint64_t j) const { return {operands_.low + i, operands_.low + j, symbol_}; }

  Problem unit(std::uint64_t u, bool mirrored) const {
    if (!commutes(symbol_)) {
      const std::uint64_t i = u / (operands_.count - 1);
      const std::uint64_t j = u % (operands_.count - 1);
      return pair(i, j + (j >= i));
    }
    const auto [i, j] = below_diagonal(u);
    return mirrored ? pair(j, i) : pair(i, j);
  }

  char symbol_;
  Operands operands_;
  std::uint64_t held_out_;
  Permutation units_;
};

class Arithmetic : public Environment {
 public:
  Arithmetic(const ArithmeticSpec& spec, std::uint64_t seed)
      : operations_(operations_of(spec)),
        held_out_(static_cast<std::uint64_t>(spec.held_out)),
        order_(stream_key(seed, "arithmetic.order"), train_size(operations_)) {}

  bool single_turn() const override { return true; }
  std::uint64_t size(Split split) const override { return split == Split::train ? order_.size() : held_out_; }

  Prompt prompt(Split split, std::uint64_t index) const override {
    HONE_ASSERT(index < size(split));
    const std::size_t count = operations_.size();
    const Problem problem =
        split == Split::train ? train(order_(index)) : operations_[index % count].held_out(index / count);
    Json reference = Json::object();
    reference.set("answer", problem.answer());
    return {.id = prompt_id(split, index), .split = split, .text = problem.text(), .reference = std::move(reference)};
  }

  std::optional<std::string> demonstration(const Prompt& prompt) const override {
    return prompt.reference.at("answer").as_string();
  }

 private:
  static std::vector<Operation> operations_of(const ArithmeticSpec& spec) {
    std::vector<Operation> operations;
    const auto held_out = static_cast<std::uint64_t>(spec.held_out);
    for (std::size_t i = 0; i < spec.operations.size(); ++i) {
      const std::uint64_t share = held_out / spec.operations.size() + (i < held_out % spec.operations.size());
      operations.emplace_back(spec.operations[i][0], operands_of(spec.min_digits, spec.max_digits), share);
    }
    return operations;
  }

  static std::uint64_t train_size(const std::vector<Operation>& operations) {
    std::uint64_t size = 0;
    for (const Operation& operation : operations) size += operation.train_size();
    return size;
  }

  Problem train(std::uint64_t i) const {
    for (const Operation& operation : operations_) {
      if (i < operation.train_size()) return operation.train(i);
      i -= operation.train_size();
    }
    assertion_failed("a training problem below train_size", __FILE__, __LINE__);
  }

  std::vector<Operation> operations_;
  std::uint64_t held_out_;
  Permutation order_;
};

bool operations_valid(const std::vector<std::string>& operations) {
  const std::set<std::string> distinct(operations.begin(), operations.end());
  return !operations.empty() && distinct.size() == operations.size() &&
         std::ranges::all_of(operations, [](const std::string& operation) {
           return std::ranges::find(known_operations, operation) != known_operations.end();
         });
}

/// Half of the units of every operation: beyond that more would be held out than trained on.
std::int64_t most_held_out(const ArithmeticSpec& spec) {
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (const std::string& operation : spec.operations) {
    const std::uint64_t units = Operation::units(operation[0], operands_of(spec.min_digits, spec.max_digits));
    most = std::min(most, static_cast<std::int64_t>(units / 2 * spec.operations.size()));
  }
  return most;
}

}  // namespace

void ArithmeticSpec::describe(Fields& f) {
  f.field("operations", operations,
          "Which of +, - and * the problems use; each gets the same share of the held-out set.");
  const bool operations_ok = operations_valid(operations);
  f.check(operations_ok, "operations", "expected one or more of \"+\", \"-\", \"*\", each at most once");
  f.field("min_digits", min_digits, "Digits of the shortest operand.", between(1, 9));
  f.field("max_digits", max_digits, "Digits of the longest operand.", between(1, 9));
  const bool digits_ok = min_digits >= 1 && min_digits <= max_digits && max_digits <= 9;
  f.check(min_digits <= max_digits, "max_digits", "must not be less than min_digits");
  f.field("held_out", held_out, "Problems that are never trained on.", at_least(1));
  if (operations_ok && digits_ok) {
    const std::int64_t most = most_held_out(*this);
    f.check(held_out <= most, "held_out",
            fmt::format("holds out more than half of the problems; at most {} for these operands", most));
  }
}

std::unique_ptr<Environment> ArithmeticSpec::make(const Services& services) const {
  return std::make_unique<Arithmetic>(*this, services.seed);
}

}  // namespace hone
