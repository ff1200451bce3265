#include "rewards/word_list.h"

#include <algorithm>
#include <fstream>

#include "base/error.h"

namespace hone {

namespace {

constexpr std::string_view white_space = " \t\r\n\f\v";

char32_t lower(char32_t c) {
  if ((c >= U'A' && c <= U'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7)) return c + 32;
  if ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177)) return c | 1;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c % 2 == 1 ? c + 1 : c;
  if (c == 0x178) return 0xFF;
  if ((c >= 0x391 && c <= 0x3AB && c != 0x3A2) || (c >= 0x410 && c <= 0x42F)) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  return c;
}

}  // namespace

std::string folded_case(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x80) {
      result += static_cast<char>(lower(first));
    } else if ((first & 0xE0) == 0xC0 && i + 1 < text.size()) {  // all letters above have one or two bytes
      const char32_t c =
          lower(static_cast<char32_t>((first & 0x1F) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F)));
      result += static_cast<char>(0xC0 | c >> 6);
      result += static_cast<char>(0x80 | (c & 0x3F));
    } else {
      result += text[i];
    }
  }
  return result;
}

WordList::WordList(const std::vector<std::string>& entries) : word_(R"([\p{L}\p{M}\p{N}_]+)", {}) {
  for (const std::string& entry : entries) {
    std::vector<std::string> words = words_of(entry);
    if (words.empty()) fail(ErrorKind::config, "the word list has the entry \"{}\", which has no word in it", entry);
    phrases_[words[0]].push_back(std::move(words));
  }
  for (auto& [first, phrases] : phrases_) {
    std::ranges::sort(phrases, [](const auto& a, const auto& b) { return a.size() > b.size(); });
  }
}

std::vector<std::string> WordList::words_of(std::string_view text) const {
  std::vector<std::string> words;
  for (const Pattern::Match& match : word_.find_all(text)) words.push_back(folded_case(*match[0]));
  return words;
}

std::int64_t WordList::count(std::string_view text) const {
  if (phrases_.empty()) return 0;
  const std::vector<std::string> words = words_of(text);
  std::int64_t found = 0;
  for (std::size_t i = 0; i < words.size();) {
    std::size_t length = 0;
    if (const auto phrases = phrases_.find(words[i]); phrases != phrases_.end()) {
      for (const auto& phrase : phrases->second) {
        const bool fits = phrase.size() <= words.size() - i;
        if (fits && std::equal(phrase.begin(), phrase.end(), words.begin() + static_cast<std::ptrdiff_t>(i))) {
          length = phrase.size();
          break;
        }
      }
    }
    found += length > 0;
    i += std::max<std::size_t>(length, 1);
  }
  return found;
}

std::vector<std::string> word_list_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) fail(ErrorKind::io, "cannot read the word list {}", path);
  std::vector<std::string> entries;
  for (std::string line; std::getline(file, line);) {
    const std::size_t begin = line.find_first_not_of(white_space);
    if (begin == std::string::npos || line[begin] == '#') continue;
    entries.push_back(line.substr(begin, line.find_last_not_of(white_space) - begin + 1));
  }
  if (file.bad()) fail(ErrorKind::io, "reading the word list {} failed", path);
  return entries;
}

}  // namespace hone
