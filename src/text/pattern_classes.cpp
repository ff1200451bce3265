#include "text/pattern_classes.h"

#include "base/error.h"
#include "text/code_points.h"
#include "text/unicode_classes.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace hone {
namespace {

constexpr char32_t kPoints = 0x110000;
constexpr std::string_view kNames[] = {"Cn", "Cc", "Cf", "Co", "Cs", "Lu", "Ll", "Lt", "Lm", "Lo",
                                       "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe",
                                       "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp"};

using Members = std::vector<bool>;

bool is_surrogate(char32_t point) { return point >= 0xD800 && point < 0xE000; }

template <class Test>
Members members(const Test& test) {
  Members result(kPoints);
  for (char32_t point = 0; point < kPoints; ++point) result[point] = !is_surrogate(point) && test(point);
  return result;
}

std::optional<Members> members_of(std::string_view property) {
  if (property == "Word") return members([](char32_t point) { return char_class(point).is_word(); });
  if (property == "Space") return members([](char32_t point) { return is_white_space(point); });
  std::vector<bool> categories;
  for (const std::string_view name : kNames) categories.push_back(name.starts_with(property));
  if (property.empty() || std::count(categories.begin(), categories.end(), true) == 0) return std::nullopt;
  return members(
      [&](char32_t point) { return categories[static_cast<std::size_t>(char_class(point).category())]; });
}

/// What PCRE2 itself takes for the property, by the version of Unicode that it was built with.
Members pcre2_members(const std::string& property) {
  const std::string pattern = "\\p{" + property + "}+";
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_UTF, &error, &offset, nullptr),
      pcre2_code_free);
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
      pcre2_match_data_create(1, nullptr), pcre2_match_data_free);
  HONE_ASSERT(code != nullptr && match != nullptr);
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
  std::string all;
  for (char32_t point = 0; point < kPoints; ++point) {
    if (!is_surrogate(point)) append_utf8(all, point);
  }
  Members result(kPoints);
  for (PCRE2_SIZE from = 0; pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(all.data()), all.size(), from,
                                        PCRE2_NO_UTF_CHECK, match.get(), nullptr) > 0;) {
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match.get());
    for (std::size_t at = range[0]; at < range[1];) result[next_code_point(all, at)] = true;
    from = range[1];
  }
  return result;
}

std::string ranges(const Members& members) {
  std::string text;
  for (char32_t point = 0; point < kPoints; ++point) {
    if (!members[point]) continue;
    const char32_t first = point;
    while (point + 1 < kPoints && members[point + 1]) ++point;
    text += fmt::format("\\x{{{:X}}}", static_cast<std::uint32_t>(first));
    if (point > first) text += fmt::format("-\\x{{{:X}}}", static_cast<std::uint32_t>(point));
  }
  return text;
}

/// PCRE2's own property with what it lacks: shorter and faster than all ranges.
std::optional<std::string> by_pcre2(const std::string& property, const Members& wanted) {
  if (property == "Word" || property == "Space") return std::nullopt;
  const Members known = pcre2_members(property);
  Members missing(kPoints);
  for (char32_t point = 0; point < kPoints; ++point) {
    if (known[point] && !wanted[point]) return std::nullopt;
    missing[point] = wanted[point] && !known[point];
  }
  return "\\p{" + property + "}" + ranges(missing);
}

}  // namespace

std::optional<std::string> pattern_class(std::string_view property, bool negated) {
  static std::mutex mutex;
  static std::map<std::pair<std::string, bool>, std::optional<std::string>> known;
  const std::lock_guard lock(mutex);
  const auto [place, is_new] = known.try_emplace({std::string(property), negated});
  if (!is_new) return place->second;
  const auto wanted = members_of(property);
  if (!wanted) return std::nullopt;
  if (negated) {
    place->second = ranges(members([&](char32_t point) { return !(*wanted)[point]; }));
  } else {
    place->second = by_pcre2(std::string(property), *wanted);
    if (!place->second) place->second = ranges(*wanted);
  }
  return place->second;
}

}  // namespace hone
