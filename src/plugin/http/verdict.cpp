#include "plugin/http/verdict.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "plugin/http/client.h"
#include "plugin/http/dialect.h"

namespace hone {

namespace {

constexpr std::uint32_t most_steps = 1'000'000;  // about a tenth of a second at worst

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

std::optional<double> number_of(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return std::nullopt;
  text = text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

struct VerdictReader::Pattern {
  std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code{nullptr, &pcre2_code_free};
  std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> limits{nullptr, &pcre2_match_context_free};
};

VerdictReader::VerdictReader(const std::string& pattern, std::string json_key, double low, double high)
    : json_key_(std::move(json_key)), low_(low), high_(high) {
  if (pattern.empty() == json_key_.empty()) {
    fail(ErrorKind::config, "judge: expected either `pattern` (a regular expression with one group) or `json_key`, got {}",
         pattern.empty() ? "neither" : "both");
  }
  if (!(low <= high)) fail(ErrorKind::config, "judge: expected low ≤ high, got {} and {}", low, high);
  if (pattern.empty()) return;
  int code = 0;
  std::size_t offset = 0;
  auto compiled = std::make_shared<Pattern>();
  compiled->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_UTF, &code,
                                     &offset, nullptr));
  if (!compiled->code) {
    fail(ErrorKind::config, "judge: pattern \"{}\": {} at character {}", pattern, message_of(code), offset + 1);
  }
  std::uint32_t groups = 0;
  pcre2_pattern_info(compiled->code.get(), PCRE2_INFO_CAPTURECOUNT, &groups);
  if (groups != 1) {
    fail(ErrorKind::config, "judge: pattern \"{}\": expected one group, around the number, got {}", pattern, groups);
  }
  compiled->limits.reset(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(compiled->limits.get(), most_steps);
  pattern_ = std::move(compiled);
}

/// What the group of the last match holds.
std::string VerdictReader::find_match(std::string_view text) const {
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
      pcre2_match_data_create_from_pattern(pattern_->code.get(), nullptr), &pcre2_match_data_free);
  std::optional<std::string_view> last;
  std::size_t from = 0;
  for (std::uint32_t flags = PCRE2_NOTEMPTY;; flags |= PCRE2_NO_UTF_CHECK) {
    const int code = pcre2_match(pattern_->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from, flags,
                                 match.get(), pattern_->limits.get());
    if (code == PCRE2_ERROR_NOMATCH) break;
    if (code < 0) fail(ErrorKind::data, "pattern matching gave up on {} bytes: {}", text.size(), message_of(code));
    const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(match.get());
    if (code > 1) last = text.substr(offsets[2], offsets[3] - offsets[2]);
    if (offsets[1] <= from) break;  // \K can move a match's start, and no other trick shall loop
    from = offsets[1];
  }
  if (!last) fail(ErrorKind::data, "the pattern matches nothing");
  return std::string(*last);
}

std::string VerdictReader::find_key(std::string_view text) const {
  const std::size_t begin = text.find('{');
  const std::size_t end = text.rfind('}');
  if (begin == std::string_view::npos || end < begin || end == std::string_view::npos) {
    fail(ErrorKind::data, "expected a JSON object with \"{}\", got none", json_key_);
  }
  const Json json = Json::parse(text.substr(begin, end - begin + 1), "the JSON in it");
  const Json& value = json.at(json_key_);
  return value.is_string() ? value.as_string() : value.dump();
}

std::string VerdictReader::find(std::string_view text) const { return pattern_ ? find_match(text) : find_key(text); }

Score VerdictReader::read(std::string_view text) const {
  const std::string words = valid_utf8(text);
  std::string why;
  try {
    const std::string found = find(words);
    const std::optional<double> value = number_of(found);
    if (value && *value >= low_ && *value <= high_) return {.value = *value, .note = body_excerpt(words)};
    why = value ? fmt::format("expected a score from {} to {}, got {}", low_, high_, *value)
                : fmt::format("expected a number, got \"{}\"", body_excerpt(found));
  } catch (const Error& error) {
    why = error.what();
  }
  return Score::error(fmt::format("the judge's reply: {}: \"{}\"", why, body_excerpt(words)), "protocol");
}

std::string fill_template(std::string_view text, const Episode& episode) {
  const Json& reference = episode.prompt.reference;
  const auto value_of = [&](std::string_view name) -> std::optional<std::string> {
    if (name == "prompt") return prompt_text(episode.prompt);
    if (name == "completion") return episode.turns.size() == 1 ? episode.completion_text() : response_text(episode);
    if (name == "reference") {
      if (reference.is_null()) return "";
      return reference.is_string() ? reference.as_string() : reference.dump();
    }
    return std::nullopt;
  };
  std::string filled;
  while (!text.empty()) {
    const std::size_t open = std::min(text.find('{'), text.size());
    filled += text.substr(0, open);
    text.remove_prefix(open);
    const std::size_t close = text.find('}');
    const auto value = close == std::string_view::npos ? std::nullopt : value_of(text.substr(1, close - 1));
    if (value) filled += *value;
    const std::size_t used = value ? close + 1 : std::min<std::size_t>(1, text.size());
    if (!value) filled += text.substr(0, used);
    text.remove_prefix(used);
  }
  return filled;
}

}  // namespace hone
