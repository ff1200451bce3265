#pragma once

#include <cstdint>

namespace hone {

/// General categories, in the order of the tables.
enum class Category : std::uint8_t {
  Cn, Cc, Cf, Co, Cs, Lu, Ll, Lt, Lm, Lo, Mn, Mc, Me, Nd, Nl, No, Pc, Pd, Ps, Pe, Pi, Pf, Po, Sm, Sc, Sk, So, Zs, Zl, Zp
};

/// What a code point is to the tokenizers library. Its parts follow different Unicode versions, hence flags that
/// categories should imply.
struct CharClass {
  std::uint16_t bits = 0;

  Category category() const { return static_cast<Category>(bits & 31); }
  bool is_letter() const { return category() >= Category::Lu && category() <= Category::Lo; }
  bool is_mark() const { return category() >= Category::Mn && category() <= Category::Me; }
  bool is_number() const { return category() >= Category::Nd && category() <= Category::No; }
  bool is_word() const { return bits & 1 << 5; }              ///< \w of patterns
  bool is_rust_word() const { return bits & 1 << 6; }         ///< \w of the Whitespace step and of single_word
  bool is_numeric() const { return bits & 1 << 7; }           ///< to the Digits step
  bool is_old_punctuation() const { return bits & 1 << 8; }   ///< to the Punctuation and Bert steps
  bool is_bert_control() const { return bits & 1 << 9; }      ///< cleaned away by BertNormalizer
  bool is_bert_mark() const { return bits & 1 << 10; }        ///< an accent to BertNormalizer
  bool is_accent() const { return bits & 1 << 11; }           ///< to the StripAccents step
};

/// point ≤ 0x10FFFF.
CharClass char_class(char32_t point);
/// A number for the script; Han, Hiragana and Katakana share one; 0 goes with any.
std::uint8_t script_number(char32_t point);
/// The lower case as one code point; U+0130, whose lower case is two, becomes 'i'.
char32_t lower_case(char32_t point);

}  // namespace hone
