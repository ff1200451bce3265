#pragma once

#include "text/normalizer.h"

#include <optional>

namespace hone {

/// BERT's clean-up: control characters go and white space becomes spaces, spaces stand around Chinese characters,
/// accents go, capitals become small.
class BertNormalizer final : public Normalizer {
 public:
  struct Options {
    bool clean_text = true;
    bool handle_chinese_chars = true;
    std::optional<bool> strip_accents;  ///< empty: as `lowercase`
    bool lowercase = true;
  };
  explicit BertNormalizer(Options options)
      : options_(options), strip_accents_(options.strip_accents.value_or(options.lowercase)) {}

  void normalize(AlignedText& text) const override;

 private:
  bool normalize_at_once(AlignedText& text) const;
  bool append(char32_t point, std::u32string& parts, std::string& out) const;

  Options options_;
  bool strip_accents_;
};

}  // namespace hone
