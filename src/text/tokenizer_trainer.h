#pragma once

#include "text/tokenizer.h"

namespace hone {

enum class TokenizerKind { bpe, wordpiece, unigram };
/// "bpe", "wordpiece", "unigram". Error{usage} for another name.
TokenizerKind tokenizer_kind(std::string_view name);

struct TokenizerTrainerOptions {
  TokenizerKind kind = TokenizerKind::bpe;
  std::int32_t vocab_size = 0;                 ///< everything counted
  std::int64_t min_frequency = 1;              ///< bpe, wordpiece: pairs that are rarer do not merge
  std::optional<std::int32_t> limit_alphabet;  ///< wordpiece: how many different characters are kept
  bool lowercase = true;                       ///< wordpiece: case and accents go
};

/// Trains a tokenizer with the rules that its kind mostly has:
///
///   bpe        GPT-2's split, bytes; <|eos|>, <|bos|>, <|pad|> are 0, 1, 2: see bpe_trainer.h
///   wordpiece  BERT's normalizer, split and template; [PAD], [UNK], [CLS], [SEP], [MASK] are 0 to 4
///   unigram    compatibility forms, runs of spaces as one, words marked by ▁; <pad>, </s>, <unk>, <s> are 0 to 3
///
/// It saves a tokenizer.json that the tokenizers library reads with the same ids.
class TokenizerTrainer {
 public:
  /// Error{config} for options that contradict each other.
  explicit TokenizerTrainer(TokenizerTrainerOptions options);
  ~TokenizerTrainer();

  /// Counts the words of one text. Call any number of times, then `train` once. Error{data} when it is not UTF-8.
  void add(std::string_view text);
  /// Error{data} when the texts are too few for vocab_size (bpe) or have no words.
  std::unique_ptr<Tokenizer> train();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hone
