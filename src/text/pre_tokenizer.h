#pragma once

#include "text/aligned_text.h"

#include <memory>
#include <vector>

namespace hone {

/// A text and the pieces of it that the vocabulary is to see: ascending, disjoint, not empty.
struct SplitText {
  AlignedText text;
  std::vector<TextRange> pieces;

  std::string_view piece(TextRange range) const {
    return std::string_view(text.text()).substr(range.begin, range.end - range.begin);
  }
};

/// Cuts pieces into smaller ones, and may rewrite them: the `pre_tokenizer` section of tokenizer.json. Immutable once
/// made: `split` may be called from several threads at once.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void split(SplitText& text) const = 0;
  /// The text must be aligned: where a piece comes from decides what becomes of it. `after_split`: other steps have
  /// split the text before.
  virtual bool needs_origins(bool /*after_split*/) const { return false; }
};

class SequencePreTokenizer final : public PreTokenizer {
 public:
  explicit SequencePreTokenizer(std::vector<std::unique_ptr<PreTokenizer>> steps) : steps_(std::move(steps)) {}
  void split(SplitText& text) const override {
    for (const auto& step : steps_) step->split(text);
  }
  bool needs_origins(bool after_split) const override {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (steps_[i]->needs_origins(after_split || i > 0)) return true;
    }
    return false;
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

}  // namespace hone
