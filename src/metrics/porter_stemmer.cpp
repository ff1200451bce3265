#include "metrics/porter_stemmer.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

namespace hone {

namespace {

struct Suffix {
  std::string_view from;
  std::string_view to;
};

bool is_vowel_letter(char c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u'; }

/// Per letter; y is a consonant at the start and behind a vowel.
std::vector<bool> consonants(std::string_view word) {
  std::vector<bool> flags;
  for (const char c : word) flags.push_back(c == 'y' ? flags.empty() || !flags.back() : !is_vowel_letter(c));
  return flags;
}

/// The m of [C](VC)^m[V].
int measure(std::string_view stem) {
  const std::vector<bool> flags = consonants(stem);
  int m = 0;
  for (std::size_t i = 1; i < flags.size(); ++i) m += flags[i] && !flags[i - 1] ? 1 : 0;
  return m;
}

bool has_vowel(std::string_view stem) {
  const std::vector<bool> flags = consonants(stem);
  return std::ranges::find(flags, false) != flags.end();
}

bool ends_in_double_consonant(std::string_view word) {
  return word.size() >= 2 && word.back() == word[word.size() - 2] && consonants(word).back();
}

/// Consonant, vowel, consonant other than w, x and y; of two letters vowel, consonant.
bool ends_cvc(std::string_view word) {
  const std::vector<bool> flags = consonants(word);
  const std::size_t n = word.size();
  if (n == 2) return !flags[0] && flags[1];
  if (n < 3) return false;
  return flags[n - 3] && !flags[n - 2] && flags[n - 1] && word[n - 1] != 'w' && word[n - 1] != 'x' &&
         word[n - 1] != 'y';
}

std::string replaced(std::string_view word, const Suffix& suffix) {
  std::string result(word.substr(0, word.size() - suffix.from.size()));
  return result.append(suffix.to);
}

/// The first suffix that fits decides; it is replaced when what stands before it has a measure above `least`.
std::string replace_first(std::string_view word, std::span<const Suffix> suffixes, int least) {
  for (const Suffix& suffix : suffixes) {
    if (!word.ends_with(suffix.from)) continue;
    const std::string_view stem = word.substr(0, word.size() - suffix.from.size());
    return measure(stem) > least ? replaced(word, suffix) : std::string(word);
  }
  return std::string(word);
}

/// Plurals.
std::string step_1a(const std::string& word) {
  if (word.ends_with("ies") && word.size() == 4) return replaced(word, {"ies", "ie"});
  constexpr std::array<Suffix, 4> suffixes{{{"sses", "ss"}, {"ies", "i"}, {"ss", "ss"}, {"s", ""}}};
  return replace_first(word, suffixes, -1);
}

/// -ed and -ing.
std::string step_1b(const std::string& word) {
  if (word.ends_with("ied")) return replaced(word, {"ied", word.size() == 4 ? "ie" : "i"});
  if (word.ends_with("eed")) return replace_first(word, std::array<Suffix, 1>{{{"eed", "ee"}}}, 0);
  std::string stem;
  for (const std::string_view suffix : {"ed", "ing"}) {
    if (!word.ends_with(suffix)) continue;
    const std::string before = replaced(word, {suffix, ""});
    if (has_vowel(before)) stem = before;
    break;
  }
  if (stem.empty()) return word;
  if (stem.ends_with("at") || stem.ends_with("bl") || stem.ends_with("iz")) return stem + "e";
  if (ends_in_double_consonant(stem)) {
    if (stem.back() != 'l' && stem.back() != 's' && stem.back() != 'z') stem.pop_back();
    return stem;
  }
  return measure(stem) == 1 && ends_cvc(stem) ? stem + "e" : stem;
}

std::string step_1c(std::string word) {
  if (word.size() > 2 && word.back() == 'y' && consonants(word)[word.size() - 2]) word.back() = 'i';
  return word;
}

std::string step_2(const std::string& word) {
  if (word.ends_with("alli") && measure(std::string_view(word).substr(0, word.size() - 4)) > 0) {
    return step_2(replaced(word, {"alli", "al"}));
  }
  constexpr std::array<Suffix, 21> suffixes{
      {{"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"},   {"anci", "ance"},   {"izer", "ize"},
       {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"},   {"eli", "e"},       {"ousli", "ous"},
       {"ization", "ize"}, {"ation", "ate"},   {"ator", "ate"},    {"alism", "al"},    {"iveness", "ive"},
       {"fulness", "ful"}, {"ousness", "ous"}, {"aliti", "al"},    {"iviti", "ive"},   {"biliti", "ble"},
       {"fulli", "ful"}}};
  if (word.ends_with("logi")) {  // its l counts as part of the stem
    return measure(std::string_view(word).substr(0, word.size() - 3)) > 0 ? replaced(word, {"logi", "log"}) : word;
  }
  return replace_first(word, suffixes, 0);
}

std::string step_3(const std::string& word) {
  constexpr std::array<Suffix, 7> suffixes{{{"icate", "ic"},
                                            {"ative", ""},
                                            {"alize", "al"},
                                            {"iciti", "ic"},
                                            {"ical", "ic"},
                                            {"ful", ""},
                                            {"ness", ""}}};
  return replace_first(word, suffixes, 0);
}

std::string step_4(const std::string& word) {
  constexpr std::array<Suffix, 11> before_ion{{{"al", ""},
                                               {"ance", ""},
                                               {"ence", ""},
                                               {"er", ""},
                                               {"ic", ""},
                                               {"able", ""},
                                               {"ible", ""},
                                               {"ant", ""},
                                               {"ement", ""},
                                               {"ment", ""},
                                               {"ent", ""}}};
  constexpr std::array<Suffix, 7> behind_ion{
      {{"ou", ""}, {"ism", ""}, {"ate", ""}, {"iti", ""}, {"ous", ""}, {"ive", ""}, {"ize", ""}}};
  if (word.ends_with("ion")) {
    const std::string stem = replaced(word, {"ion", ""});
    return measure(stem) > 1 && (stem.back() == 's' || stem.back() == 't') ? stem : word;
  }
  const std::string first = replace_first(word, before_ion, 1);
  return first == word ? replace_first(word, behind_ion, 1) : first;
}

/// A final -e, and one of two l.
std::string step_5(std::string word) {
  if (word.ends_with("e")) {
    const std::string stem = replaced(word, {"e", ""});
    const int m = measure(stem);
    if (m > 1 || (m == 1 && !ends_cvc(stem))) word = stem;
  }
  if (word.ends_with("ll") && measure(std::string_view(word).substr(0, word.size() - 1)) > 1) word.pop_back();
  return word;
}

}  // namespace

std::string porter_stem(std::string_view word) {
  constexpr std::array<Suffix, 16> irregular{{{"sky", "sky"},
                                              {"skies", "sky"},
                                              {"dying", "die"},
                                              {"lying", "lie"},
                                              {"tying", "tie"},
                                              {"news", "news"},
                                              {"innings", "inning"},
                                              {"inning", "inning"},
                                              {"outings", "outing"},
                                              {"outing", "outing"},
                                              {"cannings", "canning"},
                                              {"canning", "canning"},
                                              {"howe", "howe"},
                                              {"proceed", "proceed"},
                                              {"exceed", "exceed"},
                                              {"succeed", "succeed"}}};
  for (const Suffix& form : irregular) {
    if (word == form.from) return std::string(form.to);
  }
  if (word.size() <= 2) return std::string(word);
  return step_5(step_4(step_3(step_2(step_1c(step_1b(step_1a(std::string(word))))))));
}

}  // namespace hone
