#include "data/augmentation.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "io/line_reader.h"
#include "text/code_points.h"
#include "text/unicode_classes.h"

namespace hone {

namespace {

using Words = std::vector<std::string>;

Words words_of(std::string_view text) {
  Words words;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t here = at;
    if (!is_white_space(next_code_point(text, at))) continue;
    if (here > begin) words.emplace_back(text.substr(begin, here - begin));
    begin = at;
  }
  if (text.size() > begin) words.emplace_back(text.substr(begin));
  return words;
}

std::string joined(const Words& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

bool is_word_point(char32_t point) {
  const CharClass found = char_class(point);
  return found.is_letter() || found.is_number() || found.is_mark();
}

/// The part of a word between the marks around it.
std::pair<std::size_t, std::size_t> core(std::string_view word) {
  std::size_t begin = word.size(), end = 0;
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t here = at;
    if (!is_word_point(next_code_point(word, at))) continue;
    begin = std::min(begin, here);
    end = at;
  }
  return {std::min(begin, end), end};
}

std::string lowered(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) append_utf8(out, lower_case(next_code_point(text, at)));
  return out;
}

std::size_t times(double share, std::size_t words) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share * static_cast<double>(words))));
}

void remove(Words& words, double chance, Random& random) {
  const Words before = words;
  std::erase_if(words, [&](const std::string&) { return random.uniform() < chance; });
  if (words.empty()) words.push_back(before[random.below(before.size())]);
}

void swap_some(Words& words, double share, Random& random) {
  for (std::size_t n = times(share, words.size()); n > 0; --n) {
    const std::size_t a = random.below(words.size());
    const std::size_t b = (a + 1 + random.below(words.size() - 1)) % words.size();
    std::swap(words[a], words[b]);
  }
}

/// Places of words that have synonyms, in random order.
std::vector<std::size_t> replaceable(const Words& words, const Synonyms& synonyms, Random& random) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (synonyms.find(words[i]) != nullptr) places.push_back(i);
  }
  random.shuffle(places);
  return places;
}

void replace(Words& words, double share, const Synonyms& synonyms, Random& random) {
  std::vector<std::size_t> places = replaceable(words, synonyms, random);
  places.resize(std::min(places.size(), times(share, words.size())));
  for (const std::size_t place : places) words[place] = synonyms.replacement(words[place], random);
}

void insert(Words& words, double share, const Synonyms& synonyms, Random& random) {
  const std::vector<std::size_t> places = replaceable(words, synonyms, random);
  if (places.empty()) return;
  const Words before = words;
  for (std::size_t n = times(share, before.size()); n > 0; --n) {
    const auto& group = *synonyms.find(before[places[random.below(places.size())]]);
    const std::string& word = group[random.below(group.size())];
    words.insert(words.begin() + static_cast<std::ptrdiff_t>(random.below(words.size() + 1)), word);
  }
}

}  // namespace

Synonyms Synonyms::read(const std::filesystem::path& path) {
  Synonyms synonyms;
  LineReader lines(path, CharacterEncoding::utf8);
  for (std::string line; lines.next_filled(line);) {
    Words group;
    for (std::size_t begin = 0; begin <= line.size();) {
      const std::size_t end = std::min(line.find(',', begin), line.size());
      const std::string word = lowered(joined(words_of(std::string_view(line).substr(begin, end - begin))));
      if (!word.empty()) group.push_back(word);
      begin = end + 1;
    }
    if (group.size() < 2) {
      fail(ErrorKind::data, "{}:{}: expected a group of at least two synonyms between commas, found '{}'",
           path.string(), lines.number(), line);
    }
    for (const std::string& word : group) {
      Words& others = synonyms.groups_[word];
      std::ranges::copy_if(group, std::back_inserter(others), [&](const std::string& other) { return other != word; });
    }
  }
  if (synonyms.groups_.empty()) fail(ErrorKind::data, "{}: the file has no synonyms", path.string());
  return synonyms;
}

const std::vector<std::string>* Synonyms::find(std::string_view word) const {
  const auto [begin, end] = core(word);
  const auto found = groups_.find(lowered(word.substr(begin, end - begin)));
  return found == groups_.end() ? nullptr : &found->second;
}

std::string Synonyms::replacement(std::string_view word, Random& random) const {
  const std::vector<std::string>* group = find(word);
  if (group == nullptr) return std::string(word);
  const auto [begin, end] = core(word);
  std::string other = (*group)[random.below(group->size())];
  const bool capital = word[begin] >= 'A' && word[begin] <= 'Z';
  if (capital && other[0] >= 'a' && other[0] <= 'z') other[0] = static_cast<char>(other[0] - 'a' + 'A');
  return std::string(word.substr(0, begin)) + other + std::string(word.substr(end));
}

std::string altered_text(std::string_view text, const AugmentationConfig& config, const Synonyms& synonyms,
                         Random& random) {
  Words words = words_of(text);
  if (words.size() < 2) return std::string(text);
  std::vector<int> ways;
  const double shares[] = {config.deletion, config.swap, config.replacement, config.insertion};
  for (int way = 0; way < 4; ++way) {
    if (shares[way] > 0) ways.push_back(way);
  }
  HONE_ASSERT(!ways.empty());
  switch (ways[random.below(ways.size())]) {
    case 0: remove(words, config.deletion, random); break;
    case 1: swap_some(words, config.swap, random); break;
    case 2: replace(words, config.replacement, synonyms, random); break;
    default: insert(words, config.insertion, synonyms, random); break;
  }
  return joined(words);
}

}  // namespace hone
