#include "rewards/math/equivalence.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "rewards/math/final_answer.h"
#include "tests/support/committed_golden.h"

namespace hone {

namespace {

bool same(const std::string& a, const std::string& b) {
  const bool forward = math::equivalent(a, b);
  CHECK_MESSAGE(forward == math::equivalent(b, a), "not symmetric: ", a, " and ", b);
  return forward;
}

}  // namespace

TEST_CASE("rewards: math answers agree with math-verify's verdicts") {
  const Json golden = test::committed_golden("math_answers.json");
  const auto& cases = golden.at("cases").as_array();
  CHECK(cases.size() >= 190);
  std::int64_t agreed = 0;
  for (const Json& item : cases) {
    const std::string& reference = item.at("reference").as_string();
    const std::string& answer = item.at("answer").as_string();
    CAPTURE(reference);
    CAPTURE(answer);
    const Json* different = item.find("hone");
    CHECK(same(reference, answer) == (different == nullptr ? item.at("same") : *different).as_bool());
    agreed += different == nullptr;
  }
  CHECK(agreed >= 184);
}

TEST_CASE("rewards: what is written differently is the same answer") {
  const std::pair<std::string, std::string> equal[] = {
      {"0.1\\overline{6}", "1/6"},
      {"0.\\overline{3}", "\\frac{1}{3}"},
      {"12\\,345", "12345"},
      {"8,\\!424,\\!000", "8424000"},
      {"$37.50", "\\$37.5"},
      {"2 1/2", "2.5"},
      {"18\\text{ hours}", "18"},
      {"3\\text{ cm}^2", "3"},
      {"5 apples", "5 apple"},
      {"20 percent", "20\\%"},
      {"20\\text{ percent}", "0.2"},
      {"45 degrees", "45^\\circ"},
      {"3.0 x 10^8", "3 \\times 10^8"},
      {"\\mathbb{R}", "(-\\infty, \\infty)"},
      {"\\binom{2000}{1998}", "1999000"},
      {"60^\\circ", "\\frac{\\pi}{3}"},
      {"\\sin 30^\\circ", "\\frac{1}{2}"},
      {"\\sqrt2/2", "sqrt(2)/2"},
      {"\\frac{1}{\\sqrt{2}}", "\\sqrt{\\frac{1}{2}}"},
      {"\\sqrt[3]{-8}", "-2"},
      {"e^{i\\pi}", "-1"},
      {"2^{2^{5}}", "4294967296"},
      {"\\frac{(101!)^{100}}{101!}", "(101!)^{99}"},
      {"f(x) = x^2", "x^2"},
      {"u(x, t) = \\sin(x - ct)", "\\sin(x-ct) = u(x,t)"},
      {"-12 \\text{ or } -30", "-30, -12"},
      {"x=1 or x=2", "\\{1,2\\}"},
      {"\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "(1, 2)"},
      {"\\langle 1, 2 \\rangle", "(1,2)"},
      {"x \\in [0, 1]", "[0,1]"},
      {"\\alpha > n", "(n, \\infty)"},
      {"[-\\infty, 2]", "(-\\infty, 2]"},
      {"-2x + 6 \\le 0", "x \\geq 3"},
      {"\\max\\{1, |z|\\}", "\\max(|z|, 1)"},
      {"\\gcd(k, p-1)", "\\gcd(p - 1, k)"},
      {"\\gcd(12, 18)", "6"},
      {"\\lfloor 3.7 \\rfloor", "3"},
      {"1 + 2f(a)", "f(a) + f(a) + 1"},
      {"\\{\\}", "\\emptyset"},
      {"\\mathbf{x}", "x"},
      {"8:7:3", "8 : 7 : 3"},
      {"\\boxed{\\frac{1}{2}}", "0.5"},
      {"\\log_{3} 9", "2"},
      {"\\infty", "+\\infty"},
  };
  for (const auto& [a, b] : equal) {
    CAPTURE(a);
    CAPTURE(b);
    CHECK(same(a, b));
  }
}

TEST_CASE("rewards: what is another answer stays another") {
  const std::pair<std::string, std::string> different[] = {
      {"1", "-1"},
      {"15", "1.5"},
      {"1:2", "12"},
      {"x", "X"},
      {"100!", "100! + 1"},
      {"(a,b)", "ab"},
      {"\\sqrt{x^2}", "x"},
      {"2f(0)", "0"},
      {"5 cm", "5 km"},
      {"2xy", "2"},
      {"AB = BA", "x = x"},
      {"0.33", "\\frac{1}{3}"},
      {"3.14159", "\\pi"},
      {"e^{-50}", "0"},
      {"x^2 = 4", "x = 2"},
      {"x^2 = 4", "4"},
      {"x > 2", "-x > -2"},
      {"1,2,2", "1,1,2"},
      {"", "0"},
      {"2^{61} - 1", "0"},
      {"\\infty", "10^{400}"},
      {"10^{400}", "10^{401}"},
      {"0.5", "\\frac{0}{0}"},
      {"\\frac{1}{0}", "\\frac{2}{0}"},
      {"(1, 2)", "[1, 2]"},
      {"(0, 1)", "\\{0, 1\\}"},
      {"Finite", "infinite"},
      {"D^N", "D^n"},
  };
  for (const auto& [a, b] : different) {
    CAPTURE(a);
    CAPTURE(b);
    CHECK_FALSE(same(a, b));
  }
}

TEST_CASE("rewards: the tolerance is for decimals only") {
  CHECK(math::equivalent("0.33", "1/3", {.tolerance = 0.01}));
  CHECK_FALSE(math::equivalent("\\frac{33}{100}", "1/3", {.tolerance = 0.01}));
  CHECK_FALSE(math::equivalent("0.333333", "1/3", {.tolerance = 0}));
  CHECK(math::equivalent("0.50", "1/2", {.tolerance = 0}));
}

TEST_CASE("rewards: no text breaks the comparison of math answers") {
  CHECK(math::readable("\\frac{1}{2}"));
  for (const char* text : {"",
                           "\\",
                           "{",
                           "}",
                           "\\frac",
                           "\\frac{1}",
                           "((((",
                           "1/",
                           "x^",
                           "x_",
                           "\\sqrt[",
                           "\\begin{pmatrix}",
                           "\\text{",
                           "|",
                           "||",
                           "\\left",
                           "\\boxed{",
                           "!",
                           "a!!!!",
                           "\\max\\{\\}",
                           "\\log_",
                           "^2",
                           "99999999999999999999!",
                           "\\binom{99999999}{50000000}",
                           "1e999999999",
                           "\\gcd()",
                           "\\langle",
                           "5000!!"}) {
    CAPTURE(text);
    CHECK(math::equivalent(text, text));
    CHECK_FALSE(math::equivalent(text, "123456"));
  }
  const std::string deep = std::string(3000, '(') + "1" + std::string(3000, ')');
  CHECK_FALSE(math::equivalent(deep, "1"));
  CHECK_FALSE(math::equivalent(std::string(3000, '-') + "1", "1"));
  CHECK_FALSE(math::equivalent(std::string(100'000, '1'), "1"));
  std::string product = "x";
  for (int i = 1; i < 900; ++i) product += "*x";
  CHECK(math::equivalent(product, "x^{900}"));
  CHECK_FALSE(math::equivalent(product, "x^{901}"));
  const std::string alphabet = "0123456789xyfe+-*/^_(){}[]|\\,.=<> !%$";
  const char* pieces[] = {"\\frac", "\\sqrt", "\\pi", "\\left",         "\\{", "\\}", "\\sin",
                          "\\log",  "\\cup",  "\\pm", "\\begin{matrix}"};
  Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    const std::uint64_t length = 1 + random.below(24);
    for (std::uint64_t k = 0; k < length; ++k) {
      if (random.below(6) == 0) {
        text += pieces[random.below(std::size(pieces))];
      } else {
        text += alphabet[random.below(alphabet.size())];
      }
    }
    CAPTURE(text);
    same(text, "7");
  }
}

TEST_CASE("rewards: math answers are compared by several threads at once") {
  constexpr int count = 2000;
  std::vector<char> right(count, 0);
  const auto work = [&right](int first) {
    for (int i = first; i < count; i += 4) {
      const std::string text = fmt::format("thus the answer is \\frac{{{}}}{{{}}}, as said.", 2 * i, 4 * i + 2);
      constexpr std::array places{math::Place::phrase};
      const auto answer = math::final_answer(text, places);
      right[static_cast<std::size_t>(i)] = answer && math::equivalent(*answer, fmt::format("{}/{}", i, 2 * i + 1));
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int first = 0; first < 4; ++first) threads.emplace_back(work, first);
  }
  CHECK(std::ranges::count(right, 1) == count);
}

}  // namespace hone
