#include "rewards/text_overlap.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <unordered_map>
#include <utility>

namespace hone {

namespace {

using Counts = std::unordered_map<std::string, std::int64_t>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// ASCII signs that 13a takes as words wherever they stand: all but ' , - . and the full stop.
bool is_sign(char c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') ||
         (c >= ':' && c <= '@') || c == '/';
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// Bytes of the white space at `at` that Python's split() knows, 0 when there is none.
std::size_t white_space(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f')) return 1;
  const std::string_view rest = text.substr(at);
  if (rest.starts_with("\u0085") || rest.starts_with("\u00a0")) return 2;
  if (rest.starts_with("\u1680") || rest.starts_with("\u2028") || rest.starts_with("\u2029") ||
      rest.starts_with("\u202f") || rest.starts_with("\u205f") || rest.starts_with("\u3000")) {
    return 3;
  }
  const bool general = rest.starts_with("\xE2\x80") && rest.size() > 2;
  return general && static_cast<unsigned char>(rest[2]) <= 0x8A ? 3 : 0;
}

/// Writes each pair of neighbours that matches anew; pairs do not overlap, as with a regular expression.
template <class Matches, class Write>
std::string pass(const std::string& text, Matches matches, Write write) {
  std::string result;
  std::size_t i = 0;
  while (i < text.size()) {
    if (i + 1 < text.size() && matches(text[i], text[i + 1])) {
      write(result, text[i], text[i + 1]);
      i += 2;
    } else {
      result += text[i++];
    }
  }
  return result;
}

Counts ngrams(const Words& words, std::size_t n) {
  Counts counts;
  for (std::size_t i = 0; i + n <= words.size(); ++i) {
    std::string key;
    for (std::size_t j = i; j < i + n; ++j) key.append(words[j]).push_back('\n');
    ++counts[key];
  }
  return counts;
}

std::int64_t common_count(const Counts& a, const Counts& b) {
  std::int64_t common = 0;
  for (const auto& [ngram, count] : a) {
    const auto found = b.find(ngram);
    if (found != b.end()) common += std::min(count, found->second);
  }
  return common;
}

std::int64_t ngram_count(const Words& words, std::size_t n) {
  return words.size() < n ? 0 : static_cast<std::int64_t>(words.size() - n + 1);
}

Overlap shares(std::int64_t common, std::int64_t of_text, std::int64_t of_reference) {
  const auto share = [common](std::int64_t all) {
    return all > 0 ? static_cast<double>(common) / static_cast<double>(all) : 0.0;
  };
  return {share(of_text), share(of_reference)};
}

}  // namespace

std::vector<std::string> plain_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t space = white_space(text, i);
    if (space == 0) {
      word += text[i++];
      continue;
    }
    if (!word.empty()) words.push_back(std::exchange(word, {}));
    i += space;
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::vector<std::string> words_13a(std::string_view original) {
  std::string text(original);
  while (!text.empty() && white_space(text, text.size() - 1) == 1) text.pop_back();
  replace_all(text, "<skipped>", "");
  replace_all(text, "-\n", "");
  replace_all(text, "\n", " ");
  replace_all(text, "&quot;", "\"");
  replace_all(text, "&amp;", "&");
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");
  std::string apart = " ";
  for (const char c : text + " ") is_sign(c) ? apart.append({' ', c, ' '}) : apart.append(1, c);
  const auto mark = [](char c) { return c == '.' || c == ','; };
  apart = pass(
      apart, [&](char a, char b) { return !is_digit(a) && mark(b); },
      [](std::string& out, char a, char b) {
        out.append({a, ' ', b, ' '});
      });
  apart = pass(
      apart, [&](char a, char b) { return mark(a) && !is_digit(b); },
      [](std::string& out, char a, char b) {
        out.append({' ', a, ' ', b});
      });
  apart = pass(
      apart, [](char a, char b) { return is_digit(a) && b == '-'; },
      [](std::string& out, char a, char b) {
        out.append({a, ' ', b, ' '});
      });
  return plain_words(apart);
}

std::vector<std::string> rouge_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : std::string(text) + " ") {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (is_digit(lower) || (lower >= 'a' && lower <= 'z')) {
      word += lower;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  return words;
}

BleuCounts& BleuCounts::operator+=(const BleuCounts& other) {
  common.resize(std::max(common.size(), other.common.size()));
  total.resize(common.size());
  for (std::size_t i = 0; i < other.common.size(); ++i) {
    common[i] += other.common[i];
    total[i] += other.total[i];
  }
  length += other.length;
  reference_length += other.reference_length;
  return *this;
}

BleuCounts bleu_counts(const Words& text, std::span<const Words> references, std::size_t order) {
  BleuCounts counts;
  counts.length = static_cast<std::int64_t>(text.size());
  for (std::size_t n = 1; n <= order; ++n) {
    Counts most;
    for (const Words& reference : references) {
      for (const auto& [ngram, count] : ngrams(reference, n)) most[ngram] = std::max(most[ngram], count);
    }
    counts.common.push_back(common_count(ngrams(text, n), most));
    counts.total.push_back(ngram_count(text, n));
  }
  std::int64_t nearest = -1;
  for (const Words& reference : references) {
    const auto length = static_cast<std::int64_t>(reference.size());
    const std::int64_t distance = std::abs(length - counts.length);
    if (nearest < 0 || distance < nearest || (distance == nearest && length < counts.reference_length)) {
      nearest = distance;
      counts.reference_length = length;
    }
  }
  return counts;
}

double bleu(const BleuCounts& counts, bool effective_order) {
  if (std::ranges::all_of(counts.common, [](std::int64_t count) { return count == 0; })) return 0;
  double log_sum = 0;
  double smoothing = 1;
  std::size_t order = 0;
  for (; order < counts.total.size() && counts.total[order] > 0; ++order) {
    auto common = static_cast<double>(counts.common[order]);
    if (common == 0) common = 1 / (smoothing *= 2);
    log_sum += std::log(common / static_cast<double>(counts.total[order]));
  }
  if (!effective_order && order < counts.total.size()) return 0;  // an order without n-grams has precision 0
  const double ratio = static_cast<double>(counts.reference_length) / static_cast<double>(counts.length);
  return std::min(1.0, std::exp(1 - ratio)) * std::exp(log_sum / static_cast<double>(order));
}

Overlap rouge_n(const Words& text, const Words& reference, std::size_t n) {
  return shares(common_count(ngrams(text, n), ngrams(reference, n)), ngram_count(text, n), ngram_count(reference, n));
}

Overlap rouge_l(const Words& text, const Words& reference) {
  std::vector<std::int64_t> longest(reference.size() + 1, 0);
  for (const std::string& word : text) {
    std::int64_t diagonal = 0;
    for (std::size_t j = 1; j <= reference.size(); ++j) {
      const std::int64_t above = longest[j];
      longest[j] = word == reference[j - 1] ? diagonal + 1 : std::max(above, longest[j - 1]);
      diagonal = above;
    }
  }
  return shares(longest.back(), static_cast<std::int64_t>(text.size()), static_cast<std::int64_t>(reference.size()));
}

}  // namespace hone
