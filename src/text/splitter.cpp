#include "text/splitter.h"

#include "base/error.h"
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

Splitter::Splitter(std::string_view pattern, const std::string& source) {
  const std::string translated = oniguruma_to_pcre2(pattern, source);
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code =
      pcre2_compile(units(translated), translated.size(), PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
  if (code == nullptr) {
    fail(ErrorKind::data, "{}: the split pattern {} does not compile: {}", source, pattern, message_of(error));
  }
  code_.reset(code);
  // Where the machine has no JIT the interpreter does the same, only slower.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
}

void Splitter::split(std::string_view text, Scratch& scratch, std::vector<std::string_view>& pieces) const {
  auto* code = static_cast<pcre2_code*>(code_.get());
  auto* match = static_cast<pcre2_match_data*>(scratch.match_);
  std::size_t done = 0;   // everything before is in a piece
  std::size_t start = 0;  // where the next match may begin
  while (start < text.size()) {
    const int found = pcre2_match(code, units(text), text.size(), start, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, match,
                                  nullptr);
    if (found == PCRE2_ERROR_NOMATCH) break;
    if (found < 0) fail(ErrorKind::data, "the split pattern failed on a text: {}", message_of(found));
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match);
    if (range[0] > done) pieces.push_back(text.substr(done, range[0] - done));
    pieces.push_back(text.substr(range[0], range[1] - range[0]));
    done = start = range[1];
  }
  if (done < text.size()) pieces.push_back(text.substr(done));
}

}  // namespace hone
