#include "text/constraint/unicode_property.h"

#include <memory>
#include <string>

#include "base/error.h"
#include "text/code_points.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace hone {
namespace {

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatch {
  void operator()(pcre2_match_data* match) const { pcre2_match_data_free(match); }
};

PCRE2_SPTR units(const std::string& text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

/// Every scalar value in order.
std::string all_code_points() {
  std::string text;
  text.reserve(4'400'000);
  for (char32_t point = 0; point <= 0x10FFFF; ++point) {
    if (point < 0xD800 || point > 0xDFFF) append_utf8(text, point);
  }
  return text;
}

/// The code point that ends just before `at`.
char32_t code_point_before(const std::string& text, std::size_t at) {
  do --at;
  while ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return next_code_point(text, at);
}

}  // namespace

CodePointSet unicode_property(std::string_view name) {
  bool plain = !name.empty();
  for (const char c : name) {
    plain = plain && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_');
  }
  // Atomic, and taken a thousand at a time: the interpreter of machines without a JIT then needs no stack.
  const std::string pattern = fmt::format("\\p{{{}}}{{1,1000}}+", name);
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::unique_ptr<pcre2_code, FreeCode> code(
      plain ? pcre2_compile(units(pattern), pattern.size(), PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr) : nullptr);
  if (code == nullptr) {
    fail(ErrorKind::config,
         "\\p{{{}}} is no Unicode property that is known here; write for example \\p{{L}} (letters), "
         "\\p{{Lu}}, \\p{{N}}, \\p{{P}} or a script such as \\p{{Greek}}",
         name);
  }
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
  const std::unique_ptr<pcre2_match_data, FreeMatch> match(pcre2_match_data_create(1, nullptr));
  HONE_ASSERT(match != nullptr);
  const std::string text = all_code_points();
  std::vector<CodePointRange> ranges;
  std::size_t at = 0;
  while (at < text.size()) {
    const int found = pcre2_match(code.get(), units(text), text.size(), at, PCRE2_NO_UTF_CHECK, match.get(), nullptr);
    if (found == PCRE2_ERROR_NOMATCH) break;
    HONE_ASSERT(found > 0);
    const PCRE2_SIZE* span = pcre2_get_ovector_pointer(match.get());
    std::size_t first = span[0];
    at = span[1];
    ranges.push_back({next_code_point(text, first), code_point_before(text, at)});
  }
  return CodePointSet(std::move(ranges));
}

}  // namespace hone
