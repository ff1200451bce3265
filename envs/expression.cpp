#include "envs/expression.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/error.h"

namespace hone {

namespace {

constexpr std::size_t longest = 400;
constexpr int deepest = 50;

/// Recursive descent; Error{data} with words for the policy.
class Evaluation {
 public:
  explicit Evaluation(std::string_view text) : text_(text) {}

  double run() {
    const double value = sum();
    skip_space();
    if (at_ < text_.size()) fail(ErrorKind::data, "unexpected '{}' at character {}", rest(), at_ + 1);
    return value;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }

  /// The next character as it stands, for messages: all bytes of one that is not ASCII.
  std::string_view rest() const {
    std::size_t end = at_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0) == 0x80) ++end;
    return text_.substr(at_, end - at_);
  }

  bool take(std::string_view sign) {
    skip_space();
    if (!text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }

  double sum() {
    double value = product();
    while (true) {
      if (take("+")) {
        value += product();
      } else if (take("-") || take("−")) {
        value -= product();
      } else {
        return value;
      }
    }
  }

  double product() {
    double value = factor();
    while (true) {
      if (take("*") || take("×")) {
        value *= factor();
      } else if (take("/") || take("÷")) {
        const double divisor = factor();
        if (divisor == 0) fail(ErrorKind::data, "division by zero");
        value /= divisor;
      } else {
        return value;
      }
    }
  }

  double factor() {
    if (++depth_ > deepest) fail(ErrorKind::data, "more than {} brackets and signs within each other", deepest);
    double value = 0;
    if (take("-") || take("−")) {
      value = -factor();
    } else if (take("+")) {
      value = factor();
    } else if (take("(")) {
      value = sum();
      if (!take(")")) fail(ErrorKind::data, "a bracket is not closed");
    } else {
      value = number();
    }
    --depth_;
    return value;
  }

  double number() {
    skip_space();
    if (at_ >= text_.size()) fail(ErrorKind::data, "a number is missing at the end");
    double value = 0;
    const char* begin = text_.data() + at_;
    const auto read = std::from_chars(begin, text_.data() + text_.size(), value, std::chars_format::fixed);
    if (read.ec != std::errc() || !std::isfinite(value)) {
      fail(ErrorKind::data, "expected a number at character {}, got '{}'", at_ + 1, rest());
    }
    at_ += static_cast<std::size_t>(read.ptr - begin);
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Calculated calculate(std::string_view expression) {
  if (expression.size() > longest) return {std::nullopt, fmt::format("longer than {} characters", longest)};
  try {
    const double value = Evaluation(expression).run();
    if (!std::isfinite(value)) return {std::nullopt, "the result is too large"};
    return {value, {}};
  } catch (const Error& error) {
    return {std::nullopt, error.what()};
  }
}

std::string number_text(double value) {
  if (value == std::round(value) && std::abs(value) < 1e15) return fmt::to_string(static_cast<std::int64_t>(value));
  return fmt::format("{:.12g}", value);
}

}  // namespace hone
