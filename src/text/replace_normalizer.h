#pragma once

#include "text/normalizer.h"
#include "text/splitter.h"

#include <optional>

namespace hone {

/// Every match of a string or of a pattern becomes `content`, which comes from the last character of the match.
class ReplaceNormalizer final : public Normalizer {
 public:
  ReplaceNormalizer(std::string pattern, std::string content)
      : string_(std::move(pattern)), content_(std::move(content)) {}
  ReplaceNormalizer(Splitter pattern, std::string content)
      : regex_(std::move(pattern)), content_(std::move(content)) {}

  void normalize(AlignedText& text) const override;
  bool is_surely_normal(std::string_view text) const override {
    return !regex_ && (string_.empty() || text.find(string_) == std::string_view::npos);
  }

 private:
  std::string string_;
  std::optional<Splitter> regex_;
  std::string content_;
};

}  // namespace hone
