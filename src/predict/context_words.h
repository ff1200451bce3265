#pragma once

#include <span>
#include <string>
#include <string_view>

#include "predict/question_answering.h"

namespace hone {

/// What a tokenizer takes for a word before it looks for tokens in it.
enum class WordRule {
  subword_marks,  ///< WordPiece: a token spelled ##… goes on the word before it
  byte_level,     ///< the split of GPT-2 and RoBERTa: letters, numbers or other characters, with a space before them
  spaces,         ///< SentencePiece: what stands between white space
};

/// Numbers the words of a context's tokens. `spellings` are as in tokenizer.json, one a token.
void number_words(std::string_view context, WordRule rule, std::span<const std::string> spellings,
                  std::span<ContextToken> tokens);

}  // namespace hone
