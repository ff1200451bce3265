#include "data/augmentation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>

#include "support/error_of.h"
#include "support/scratch.h"

namespace hone {

namespace {

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

constexpr const char* text = "The happy dog saw a big red house and ran home";

}  // namespace

TEST_CASE("data: synonyms keep the capital and the marks of a word") {
  const test::Scratch scratch;
  const Synonyms synonyms = Synonyms::read(scratch.file("synonyms.txt", "happy, glad\nbig, large, very big\n\n"));
  Random random(1);
  CHECK(synonyms.replacement("(Happy!)", random) == "(Glad!)");
  CHECK(synonyms.replacement("GLAD", random) == "Happy");
  CHECK(synonyms.replacement("dog", random) == "dog");
  CHECK(synonyms.find("big")->size() == 2);
  CHECK(synonyms.find("...") == nullptr);
  HONE_CHECK_ERROR(data, Synonyms::read(scratch.file("bad.txt", "one, two\nalone\n")), "bad.txt:2", "'alone'");
  HONE_CHECK_ERROR(data, Synonyms::read(scratch.file("none.txt", " \n")), "no synonyms");
}

TEST_CASE("data: alterations do what they say and no more") {
  const test::Scratch scratch;
  const Synonyms synonyms = Synonyms::read(scratch.file("synonyms.txt", "happy, glad\nbig, large\n"));
  const std::vector<std::string> before = words(text);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random deletion(seed), swap(seed), replacement(seed), insertion(seed);
    const auto shorter = words(altered_text(text, {.deletion = 0.3}, {}, deletion));
    CHECK(!shorter.empty());
    std::size_t in_order = 0;
    for (const std::string& word : before) in_order += in_order < shorter.size() && shorter[in_order] == word ? 1 : 0;
    CHECK(in_order == shorter.size());
    auto swapped = words(altered_text(text, {.swap = 0.1}, {}, swap)), sorted = before;
    CHECK(swapped != before);
    std::ranges::sort(swapped);
    std::ranges::sort(sorted);
    CHECK(swapped == sorted);
    const auto replaced = words(altered_text(text, {.replacement = 0.1}, synonyms, replacement));
    CHECK(replaced.size() == before.size());
    std::size_t changed = 0;
    for (std::size_t i = 0; i < before.size(); ++i) changed += replaced[i] != before[i] ? 1 : 0;
    CHECK(changed == 1);
    const auto longer = words(altered_text(text, {.insertion = 0.2}, synonyms, insertion));
    CHECK(longer.size() == before.size() + 2);
  }
}

TEST_CASE("data: alterations depend on the random stream alone; one word stays") {
  const AugmentationConfig config{.deletion = 0.2, .swap = 0.2};
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random a(7, seed), b(7, seed);
    const std::string once = altered_text(text, config, {}, a);
    CHECK(once == altered_text(text, config, {}, b));
    seen.insert(once);
  }
  CHECK(seen.size() > 10);
  Random random(1);
  CHECK(altered_text("alone", config, {}, random) == "alone");
  CHECK(altered_text("", config, {}, random).empty());
}

}  // namespace hone
