#pragma once

#include "text/code_points.h"
#include "text/normalizer.h"

#include <memory>
#include <optional>
#include <vector>

namespace hone {

/// Each code point becomes `map(point)`, or goes when that is nothing.
template <class Map>
void map_points(AlignedText& text, const Map& map) {
  TextRewrite rewrite(text);
  while (rewrite.at() < text.text().size()) {
    std::size_t at = rewrite.at();
    if (const std::optional<char32_t> point = map(next_code_point(text.text(), at))) {
      rewrite.put(*point, 0);
    } else {
      rewrite.drop(1);
    }
  }
  rewrite.finish();
}

/// Puts `prefix` before a text that is not empty; it comes from the first character.
void prepend(AlignedText& text, std::string_view prefix);

class LowercaseNormalizer final : public Normalizer {
 public:
  void normalize(AlignedText& text) const override;
};

/// White space at the ends goes.
class StripNormalizer final : public Normalizer {
 public:
  StripNormalizer(bool left, bool right) : left_(left), right_(right) {}
  void normalize(AlignedText& text) const override;

 private:
  bool left_, right_;
};

/// Marks go. (A decomposed form should come before.)
class StripAccentsNormalizer final : public Normalizer {
 public:
  void normalize(AlignedText& text) const override;
};

class PrependNormalizer final : public Normalizer {
 public:
  explicit PrependNormalizer(std::string prefix) : prefix_(std::move(prefix)) {}
  void normalize(AlignedText& text) const override { prepend(text, prefix_); }

 private:
  std::string prefix_;
};

/// Control characters go, unusual spaces become plain ones.
class NmtNormalizer final : public Normalizer {
 public:
  void normalize(AlignedText& text) const override;
};

/// Every byte becomes its character of the byte alphabet.
class ByteLevelNormalizer final : public Normalizer {
 public:
  void normalize(AlignedText& text) const override;
};

class SequenceNormalizer final : public Normalizer {
 public:
  explicit SequenceNormalizer(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}
  void normalize(AlignedText& text) const override;
  bool is_surely_normal(std::string_view text) const override;

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

}  // namespace hone
