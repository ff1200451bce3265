#include "data/duplicates.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace hone {

namespace {

TextAt at(const std::vector<std::string>& texts) {
  return [&texts](std::size_t i) { return texts[i]; };
}

std::vector<std::string> random_words(std::size_t count, std::uint64_t seed) {
  std::vector<std::string> words;
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) words.push_back("w" + std::to_string(random.below(1000000)));
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + " ";
  return text;
}

}  // namespace

TEST_CASE("data: equal texts but for case, white space and punctuation") {
  const std::vector<std::string> texts{"It's here!", "its  HERE", "it is here", "", " ", "its here"};
  CHECK(first_equal(texts.size(), at(texts)) == std::vector<std::size_t>{0, 0, 2, 3, 4, 0});
}

TEST_CASE("data: shingles and their similarity") {
  CHECK(shingles("a b c d", 2).size() == 3);
  CHECK(shingles("a b a b a b", 2).size() == 2);
  CHECK(shingles("A, b!", 5) == shingles("a B", 3));
  CHECK(shingles(" \n", 3).empty());
  CHECK(shingles("机器学习", 2).size() == 3);
  CHECK(jaccard(shingles("a b c d", 1), shingles("b c d e", 1)) == doctest::Approx(3.0 / 5));
  CHECK(jaccard({}, {}) == 1.0);
  CHECK(jaccard({1, 2}, {}) == 0.0);
}

TEST_CASE("data: near duplicates are found at the threshold and not below") {
  // 200 texts of 60 words; a copy with one word changed has (58 - 3) / (58 + 3) of its 3-word shingles, one with ten far.
  std::vector<std::string> texts;
  for (std::uint64_t i = 0; i < 200; ++i) texts.push_back(joined(random_words(60, i)));
  for (std::uint64_t i = 0; i < 200; ++i) {
    std::vector<std::string> words = random_words(60, i);
    words[30] = "changed";
    texts.push_back(joined(words));
  }
  for (std::uint64_t i = 0; i < 200; ++i) {
    std::vector<std::string> words = random_words(60, i);
    for (std::size_t k = 3; k < 60; k += 6) words[k] = "changed";
    texts.push_back(joined(words));
  }
  const double near = jaccard(shingles(texts[0], 3), shingles(texts[200], 3));
  CHECK(near == doctest::Approx(55.0 / 61));
  const std::vector<std::size_t> first = first_alike(texts.size(), at(texts), near, 3);
  std::size_t found = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    CHECK(first[i] == i);
    found += first[200 + i] == i ? 1 : 0;
    CHECK(first[400 + i] == 400 + i);
  }
  CHECK(found >= 185);  // 95 % and more
}

TEST_CASE("data: clusters are chains, texts without words stay alone") {
  const std::vector<std::string> texts{"...", "a b c d e f g h i j", "a b c d e f g h i j k", "", "b c d e f g h i j k"};
  const auto first = first_alike(texts.size(), at(texts), 0.7, 2);
  CHECK(first[0] == 0);
  CHECK(first[2] == 1);
  CHECK(first[4] == 1);  // like the second, which is like the first
  CHECK(first[3] == 3);
  CHECK(first_alike(0, at(texts), 0.5, 3).empty());
}

}  // namespace hone
