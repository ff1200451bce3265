#include "text/splitter.h"

#include "base/error.h"
#include "text/code_points.h"
#include "text/oniguruma_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace hone {
namespace {

PCRE2_SPTR units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

std::string message_of(int error) {
  std::string text(256, '\0');
  const int length = pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(text.data()), text.size());
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return text;
}

}  // namespace

void Splitter::Free::operator()(void* code) const { pcre2_code_free(static_cast<pcre2_code*>(code)); }

Splitter::Scratch::Scratch() : match_(pcre2_match_data_create(1, nullptr)) { HONE_ASSERT(match_ != nullptr); }
Splitter::Scratch::~Scratch() { pcre2_match_data_free(static_cast<pcre2_match_data*>(match_)); }

Splitter::Splitter(std::string_view pattern, const std::string& source) : known_(known_split(pattern)) {
  if (known_) return;
  const std::string translated = oniguruma_to_pcre2(pattern, source);
  const std::unique_ptr<pcre2_compile_context, decltype(&pcre2_compile_context_free)> context(
      pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
  HONE_ASSERT(context != nullptr);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code = pcre2_compile(units(translated), translated.size(), PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE,
                                   &error, &offset, context.get());
  if (code == nullptr) {
    fail(ErrorKind::data, "{}: the split pattern {} does not compile: {}", source, pattern, message_of(error));
  }
  code_.reset(code);
  // Where the machine has no JIT the interpreter does the same, only slower.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
}

bool Splitter::match(std::string_view text, std::size_t from, Scratch& scratch, TextRange& found) const {
  auto* code = static_cast<pcre2_code*>(code_.get());
  auto* match = static_cast<pcre2_match_data*>(scratch.match_);
  const auto run = [&](std::uint32_t options) {
    return pcre2_match(code, units(text), text.size(), from, PCRE2_NO_UTF_CHECK | options, match, nullptr);
  };
  int result = run(0);
  if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = run(PCRE2_NO_JIT);
  if (result == PCRE2_ERROR_NOMATCH) return false;
  if (result < 0) fail(ErrorKind::data, "the split pattern failed on a text: {}", message_of(result));
  const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match);
  found = {range[0], range[1]};
  return true;
}

void Splitter::find(std::string_view text, TextRange range, Scratch& scratch, std::vector<TextRange>& matches) const {
  if (known_) return find_known(*known_, text, range, matches);
  const std::string_view piece = text.substr(range.begin, range.end - range.begin);
  std::size_t start = 0;
  bool after_match = false;  // one ends at `start`
  TextRange found;
  while (start <= piece.size() && match(piece, start, scratch, found)) {
    if (found.begin == found.end && after_match && found.end == start) {
      if (start == piece.size()) break;
      next_code_point(piece, start);
      after_match = false;
      continue;
    }
    matches.push_back({range.begin + found.begin, range.begin + found.end});
    start = found.end;
    after_match = true;
  }
}

void Splitter::split(std::string_view text, TextRange range, Scratch& scratch, std::vector<TextRange>& pieces) const {
  if (known_) return find_known(*known_, text, range, pieces);
  std::vector<TextRange> matches;
  find(text, range, scratch, matches);
  std::size_t done = range.begin;  // everything before is in a piece
  for (const TextRange match : matches) {
    if (match.begin > done) pieces.push_back({done, match.begin});
    if (match.end > match.begin) pieces.push_back(match);
    done = match.end;
  }
  if (done < range.end) pieces.push_back({done, range.end});
}

void Splitter::split(std::string_view text, Scratch& scratch, std::vector<std::string_view>& pieces) const {
  std::vector<TextRange> ranges;
  split(text, {0, text.size()}, scratch, ranges);
  for (const TextRange range : ranges) pieces.push_back(text.substr(range.begin, range.end - range.begin));
}

}  // namespace hone
