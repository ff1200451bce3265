#pragma once

#include "text/normalizer.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace hone {

/// The normalisation forms of Unicode (UAX #15), by the tables of the tokenizers library.
enum class NormalForm { nfc, nfd, nfkc, nfkd };

class NormalFormNormalizer final : public Normalizer {
 public:
  explicit NormalFormNormalizer(NormalForm form) : form_(form) {}
  void normalize(AlignedText& text) const override;
  bool is_surely_normal(std::string_view text) const override;

 private:
  NormalForm form_;
};

/// Appends the full canonical decomposition of one code point.
void append_decomposition(char32_t point, std::u32string& out);
/// Canonical combining class; 0 for starters.
int combining_class(char32_t point);

/// Form C of valid UTF-8.
std::string to_nfc(std::string_view text);
/// Quick and one-sided: true means that `text` is in form C (nothing in it composes or decomposes); false that it
/// may not be.
bool is_surely_nfc(std::string_view text);

}  // namespace hone
