#pragma once

#include "text/aligned_text.h"

namespace hone {

/// Rewrites text before it is split: the `normalizer` section of tokenizer.json. Immutable once made: `normalize` may
/// be called from several threads at once.
class Normalizer {
 public:
  virtual ~Normalizer() = default;

  /// Rewrites `text`; through TextRewrite, so that origins follow when the text is aligned.
  virtual void normalize(AlignedText& text) const = 0;
  /// Nothing would change. May be false although nothing would; asked before the text is copied.
  virtual bool is_surely_normal(std::string_view) const { return false; }
};

}  // namespace hone
