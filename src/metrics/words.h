#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

using Words = std::vector<std::string>;

/// White space as Python's str.split() knows it: White_Space of Unicode and the separators U+001C … U+001F.
bool is_python_space(char32_t point);
/// str.lower() of Python, by code points: U+0130 becomes two, a final capital sigma ς.
std::string lower_text(std::string_view text);

/// What stands between white space.
Words plain_words(std::string_view text);
/// Words as sacrebleu's tokenizer 13a splits them (that of the WMT 2013 evaluation): punctuation is a word of its own,
/// but not a full stop or comma between digits.
Words words_13a(std::string_view text);
/// Words as sacrebleu's tokenizer intl splits them (mteval-v14, international): every symbol of Unicode is a word, and
/// every punctuation mark that is not between numbers.
Words words_intl(std::string_view text);
/// Every character but white space is a word.
Words character_words(std::string_view text);

/// How BLEU finds words; the names are sacrebleu's.
enum class WordSplit { by_13a, international, character, none };
inline constexpr std::array<std::string_view, 4> word_split_names{"13a", "intl", "char", "none"};
Words split_words(WordSplit split, std::string_view text);

/// Words as rouge_score's tokenizer splits them: runs of ASCII letters and digits in lower case. With `stem`, words of
/// more than three letters become their Porter stem.
Words rouge_words(std::string_view text, bool stem = false);

}  // namespace hone
