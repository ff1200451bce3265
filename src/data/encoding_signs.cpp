#include "data/encoding_signs.h"

#include <algorithm>
#include <array>

#include "data/cleaning.h"
#include "text/code_points.h"
#include "text/normal_forms.h"
#include "text/unicode_classes.h"

namespace hone {

namespace {

/// What Windows-1252 shows for the bytes 0x80 … 0x9F; 0: nothing.
constexpr std::array<char32_t, 32> windows_1252{
    0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
    0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178};

/// Whether the character is what a reader of Latin-1 or Windows-1252 makes of a byte 0x80 … 0xBF.
bool is_continuation(char32_t point) {
  return (point >= 0x80 && point <= 0xBF) ||
         (point > 0xBF && std::ranges::find(windows_1252, point) != windows_1252.end());
}

/// Bytes that follow a first byte of UTF-8, 0 when it is none.
int continuations(char32_t point) {
  if (point >= 0xC2 && point <= 0xDF) return 1;
  if (point >= 0xE0 && point <= 0xEF) return 2;
  return point >= 0xF0 && point <= 0xF4 ? 3 : 0;
}

bool has_mojibake(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const int wanted = continuations(next_code_point(text, at));
    std::size_t behind = at;
    int found = 0;
    while (found < wanted && behind < text.size() && is_continuation(next_code_point(text, behind))) ++found;
    if (wanted > 0 && found == wanted) return true;
  }
  return false;
}

struct Script {
  char32_t first, last;
  std::string_view name;
};
constexpr std::array<Script, 27> scripts{{{0x0041, 0x024F, "Latin"},      {0x0250, 0x02AF, "Latin"},
                                          {0x0370, 0x03FF, "Greek"},      {0x0400, 0x052F, "Cyrillic"},
                                          {0x0530, 0x058F, "Armenian"},   {0x0590, 0x05FF, "Hebrew"},
                                          {0x0600, 0x077F, "Arabic"},     {0x08A0, 0x08FF, "Arabic"},
                                          {0x0900, 0x097F, "Devanagari"}, {0x0980, 0x09FF, "Bengali"},
                                          {0x0A00, 0x0A7F, "Gurmukhi"},   {0x0A80, 0x0AFF, "Gujarati"},
                                          {0x0B80, 0x0BFF, "Tamil"},      {0x0C00, 0x0C7F, "Telugu"},
                                          {0x0C80, 0x0CFF, "Kannada"},    {0x0D00, 0x0D7F, "Malayalam"},
                                          {0x0E00, 0x0E7F, "Thai"},       {0x10A0, 0x10FF, "Georgian"},
                                          {0x1200, 0x137F, "Ethiopic"},   {0x1E00, 0x1EFF, "Latin"},
                                          {0x1F00, 0x1FFF, "Greek"},      {0x3040, 0x30FF, "Kana"},
                                          {0x3400, 0x9FFF, "Han"},        {0xAC00, 0xD7AF, "Hangul"},
                                          {0xF900, 0xFAFF, "Han"},        {0xFF21, 0xFF5A, "Latin"},
                                          {0x20000, 0x3FFFF, "Han"}}};

std::string_view script_of(char32_t point) {
  const auto found = std::ranges::find_if(scripts, [&](const Script& s) { return point >= s.first && point <= s.last; });
  return found == scripts.end() ? "other" : found->name;
}

bool has_mixed_word(std::string_view text) {
  bool latin = false, alike = false;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t point = next_code_point(text, at);
    if (!char_class(point).is_letter()) {
      latin = alike = false;
      continue;
    }
    const std::string_view script = script_of(point);
    latin = latin || (script == "Latin" && point != 0xB5);  // the micro sign is a Greek letter by its looks only
    alike = alike || script == "Cyrillic" || script == "Greek";
    if (latin && alike) return true;
  }
  return false;
}

}  // namespace

EncodingSigns encoding_signs(std::string_view text) {
  EncodingSigns signs;
  signs.replacement = text.find("\uFFFD") != std::string_view::npos;
  for (std::size_t at = 0; at < text.size() && !signs.control;) signs.control = is_invisible(next_code_point(text, at));
  if (!std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    signs.mojibake = has_mojibake(text);
    signs.mixed_scripts = has_mixed_word(text);
    signs.not_composed = !is_surely_nfc(text) && to_nfc(text) != text;
  }
  signs.html = text.find_first_of("<&") != std::string_view::npos && without_html(text) != text;
  return signs;
}

std::string_view main_script(std::string_view text) {
  std::array<std::int64_t, scripts.size() + 1> counts{};
  for (std::size_t at = 0; at < text.size();) {
    const char32_t point = next_code_point(text, at);
    if (!char_class(point).is_letter()) continue;
    const std::string_view name = script_of(point);
    const auto first = std::ranges::find(scripts, name, &Script::name);  // one place for each name
    ++counts[static_cast<std::size_t>(first - scripts.begin())];
  }
  const auto most = std::ranges::max_element(counts);
  if (*most == 0) return "none";
  const auto place = static_cast<std::size_t>(most - counts.begin());
  return place == scripts.size() ? "other" : scripts[place].name;
}

}  // namespace hone
