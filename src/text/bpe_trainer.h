#pragma once

#include "text/bpe_merging.h"
#include "text/split_patterns.h"
#include "text/tokenizer.h"

namespace hone {

struct BpeTrainerOptions {
  std::int32_t vocab_size = 0;              ///< everything counted: special tokens, 256 bytes, merges
  std::vector<std::string> special_tokens;  ///< ids 0, 1, …; cut out of the training text where they are spelled
  std::optional<std::string> bos;           ///< each one of special_tokens
  std::optional<std::string> eos;
  std::optional<std::string> pad;
  std::string split = std::string(kGpt2Split);  ///< a pattern of split_patterns.h, or one's own
  std::int64_t min_frequency = 1;               ///< pairs that are rarer do not merge
  MergeTies ties = MergeTies::lower_ids;        ///< as in the tokenizers library
};

/// `<|eos|>`, `<|bos|>`, `<|pad|>` as ids 0, 1, 2 and GPT-2's split: what hone trains when nothing else is said.
BpeTrainerOptions default_bpe_options(std::int64_t vocabulary);

/// Trains a byte-level BPE (Sennrich et al. 2016, over bytes as in GPT-2): the most frequent pair of neighbouring
/// tokens within a piece becomes a token, again and again. The result depends on the counts alone, not on the order of
/// the texts.
///
/// Ids: special tokens, the 256 bytes in the order of GPT-2's byte alphabet, merged tokens by rank.
class BpeTrainer {
 public:
  explicit BpeTrainer(BpeTrainerOptions options);
  ~BpeTrainer();

  /// Counts the pieces of one text. Call any number of times, then `train` once.
  void add(std::string_view text);
  /// Error{data} when the texts have too few different pairs for vocab_size.
  std::unique_ptr<Tokenizer> train();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::unique_ptr<Tokenizer> train_bpe(std::span<const std::string> texts, BpeTrainerOptions options);

}  // namespace hone
