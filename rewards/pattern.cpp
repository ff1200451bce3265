#include "rewards/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <cstdint>

#include "base/error.h"

namespace hone {

namespace {

constexpr std::uint32_t most_steps = 1'000'000;  // about a tenth of a second at worst
constexpr std::uint32_t most_heap_kib = 64 * 1024;

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

}  // namespace

struct Pattern::Compiled {
  std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code{nullptr, &pcre2_code_free};
  std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> limits{nullptr, &pcre2_match_context_free};
};

struct Pattern::Space {
  explicit Space(const Compiled& compiled)
      : match(pcre2_match_data_create_from_pattern(compiled.code.get(), nullptr), &pcre2_match_data_free) {}
  std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match;
};

Pattern::Pattern(const std::string& pattern, Options options) {
  std::uint32_t flags = PCRE2_UTF;
  if (options.ignore_case) flags |= PCRE2_CASELESS;
  if (options.literal) flags |= PCRE2_LITERAL;
  if (options.whole) flags |= PCRE2_ANCHORED | PCRE2_ENDANCHORED;
  int code = 0;
  std::size_t offset = 0;
  auto compiled = std::make_shared<Compiled>();
  compiled->code.reset(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), flags, &code, &offset, nullptr));
  if (!compiled->code) {
    fail(ErrorKind::config, "pattern \"{}\": {} at character {}", pattern, message_of(code), offset + 1);
  }
  compiled->limits.reset(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(compiled->limits.get(), most_steps);
  pcre2_set_heap_limit(compiled->limits.get(), most_heap_kib);
  compiled_ = std::move(compiled);
}

std::optional<Pattern::Match> Pattern::find_from(std::string_view text, std::size_t from, unsigned flags,
                                                 Space& space) const {
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data() == nullptr ? "" : text.data());
  const int code =
      pcre2_match(compiled_->code.get(), subject, text.size(), from, flags, space.match.get(), compiled_->limits.get());
  if (code == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (code < 0) fail(ErrorKind::data, "pattern matching gave up on {} bytes: {}", text.size(), message_of(code));
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(space.match.get());
  Match match(pcre2_get_ovector_count(space.match.get()));
  for (std::size_t group = 0; group < static_cast<std::size_t>(code); ++group) {
    const PCRE2_SIZE begin = offsets[2 * group];
    const PCRE2_SIZE end = offsets[2 * group + 1];
    if (begin != PCRE2_UNSET && begin <= end) match[group] = text.substr(begin, end - begin);
  }
  return match;
}

std::optional<Pattern::Match> Pattern::find(std::string_view text) const {
  Space space(*compiled_);
  return find_from(text, 0, 0, space);
}

std::vector<Pattern::Match> Pattern::find_all(std::string_view text) const {
  Space space(*compiled_);
  std::vector<Match> matches;
  std::size_t from = 0;
  unsigned flags = PCRE2_NOTEMPTY;
  while (auto match = find_from(text, from, flags, space)) {
    const std::string_view whole = match->front().value_or(std::string_view());
    from = static_cast<std::size_t>(whole.data() - text.data()) + whole.size();
    matches.push_back(std::move(*match));
    flags |= PCRE2_NO_UTF_CHECK;  // once for a text is enough
  }
  return matches;
}

}  // namespace hone
