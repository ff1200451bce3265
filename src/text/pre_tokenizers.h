#pragma once

#include "text/pre_tokenizer.h"
#include "text/split_behavior.h"
#include "text/splitter.h"

#include <string>

namespace hone {

/// The kinds of characters that steps split at.
enum class SplitPoint { white_space, old_punctuation, numeric, delimiter };

/// Splits at single characters: Punctuation, Digits, WhitespaceSplit, CharDelimiterSplit.
class PointPreTokenizer final : public PreTokenizer {
 public:
  PointPreTokenizer(SplitPoint point, SplitBehavior behavior, char32_t delimiter = 0)
      : point_(point), behavior_(behavior), delimiter_(delimiter) {}
  void split(SplitText& text) const override;

 private:
  bool splits_at(char32_t point) const;

  SplitPoint point_;
  SplitBehavior behavior_;
  char32_t delimiter_;
};

/// White space goes, every punctuation character is a piece.
class BertPreTokenizer final : public PreTokenizer {
 public:
  void split(SplitText& text) const override;
};

/// Whitespace: runs of word characters, and runs of what is neither word nor white space.
class WordPreTokenizer final : public PreTokenizer {
 public:
  void split(SplitText& text) const override;
};

/// Split by a string.
class StringPreTokenizer final : public PreTokenizer {
 public:
  StringPreTokenizer(std::string pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}
  void split(SplitText& text) const override;

 private:
  std::string pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

/// Split by a regular expression.
class RegexPreTokenizer final : public PreTokenizer {
 public:
  RegexPreTokenizer(Splitter splitter, SplitBehavior behavior, bool invert)
      : splitter_(std::move(splitter)), behavior_(behavior), invert_(invert) {}
  void split(SplitText& text) const override;

 private:
  Splitter splitter_;
  SplitBehavior behavior_;
  bool invert_;
};

/// Pieces of one script each.
class ScriptPreTokenizer final : public PreTokenizer {
 public:
  void split(SplitText& text) const override;
};

/// Pieces of `length` characters.
class FixedLengthPreTokenizer final : public PreTokenizer {
 public:
  explicit FixedLengthPreTokenizer(std::size_t length) : length_(length) {}
  void split(SplitText& text) const override;

 private:
  std::size_t length_;
};

enum class PrependScheme { always, first, never };

/// Spaces become `replacement` ("▁"); one stands before each piece, or the first of the text; pieces begin with it.
class MetaspacePreTokenizer final : public PreTokenizer {
 public:
  MetaspacePreTokenizer(std::string replacement, PrependScheme scheme, bool splits)
      : replacement_(std::move(replacement)), scheme_(scheme), splits_(splits) {}
  void split(SplitText& text) const override;
  bool needs_origins(bool after_split) const override { return after_split && scheme_ == PrependScheme::first; }

 private:
  void rewrite_spaces(SplitText& text) const;

  std::string replacement_;
  PrependScheme scheme_;
  bool splits_;
};

/// A space before pieces that do not open with one, GPT-2's split, and, where `spells`, the byte alphabet for bytes.
class ByteLevelPreTokenizer final : public PreTokenizer {
 public:
  struct Options {
    bool add_prefix_space = true;
    bool use_regex = true;
    bool spells = true;  ///< false: the vocabulary reads bytes as they are
  };
  explicit ByteLevelPreTokenizer(Options options);
  void split(SplitText& text) const override;

 private:
  Options options_;
  Splitter splitter_;
};

}  // namespace hone
