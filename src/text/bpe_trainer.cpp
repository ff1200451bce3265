#include "text/bpe_trainer.h"

#include "base/error.h"
#include "base/utf8.h"
#include "text/added_tokens.h"
#include "text/bpe_tokenizer.h"
#include "text/byte_alphabet.h"
#include "text/splitter.h"

#include <array>

namespace hone {
namespace {

std::vector<AddedToken> added_tokens(const std::vector<std::string>& texts) {
  std::vector<AddedToken> result;
  for (const std::string& text : texts) {
    if (text.empty()) fail(ErrorKind::config, "tokenizer training: a special token is empty");
    result.push_back({.id = static_cast<std::int32_t>(result.size()), .text = text});
  }
  return result;
}

/// Words as bytes. Symbols are bytes in the order of the byte alphabet.
SymbolWords byte_words(const WordCounts& words) {
  SymbolWords result;
  std::array<std::int32_t, 256> symbol_of{};
  for (const unsigned char byte : bytes_in_alphabet_order()) {
    symbol_of[byte] = static_cast<std::int32_t>(result.tokens.size());
    result.tokens.emplace_back(1, static_cast<char>(byte));
  }
  for (const WordCounts::Word& word : words.words()) {
    result.words.push_back({result.symbols.size(), word.size, word.count});
    for (const char byte : words.text(word)) result.symbols.push_back(symbol_of[static_cast<unsigned char>(byte)]);
  }
  return result;
}

}  // namespace

struct BpeTrainer::State {
  explicit State(BpeTrainerOptions given)
      : options(std::move(given)),
        splitter(options.split, "tokenizer training"),
        special(added_tokens(options.special_tokens)) {}

  void count(std::string_view text) {
    pieces.clear();
    splitter.split(text, scratch, pieces);
    for (const std::string_view piece : pieces) words.add(piece);
  }

  BpeTrainerOptions options;
  Splitter splitter;
  AddedTokenMatcher special;
  Splitter::Scratch scratch;
  std::vector<std::string_view> pieces;
  WordCounts words;
};

BpeTrainer::BpeTrainer(BpeTrainerOptions options) : state_(std::make_unique<State>(std::move(options))) {
  const std::size_t least = 256 + state_->options.special_tokens.size();
  if (state_->options.min_frequency < 1) {
    fail(ErrorKind::config, "tokenizer training: min_frequency is {}, expected at least 1",
         state_->options.min_frequency);
  }
  if (state_->options.vocab_size < static_cast<std::int64_t>(least)) {
    fail(ErrorKind::config, "tokenizer training: vocab_size {} is too small: 256 bytes and {} special tokens need {}",
         state_->options.vocab_size, least - 256, least);
  }
}

BpeTrainer::~BpeTrainer() = default;

void BpeTrainer::add(std::string_view text) {
  if (const std::size_t bad = first_invalid_utf8(text); bad != std::string_view::npos) {
    fail(ErrorKind::data, "tokenizer training: byte {} of a text (0x{:02x}) is not valid UTF-8", bad + 1,
         static_cast<unsigned char>(text[bad]));
  }
  std::size_t done = 0;
  while (const auto match = state_->special.find(text, done)) {
    state_->count(text.substr(done, match->begin - done));
    done = match->end;
  }
  state_->count(text.substr(done));
}

std::unique_ptr<Tokenizer> BpeTrainer::train() {
  const BpeTrainerOptions& options = state_->options;
  const std::size_t special_count = options.special_tokens.size();
  const auto wanted = static_cast<std::size_t>(options.vocab_size) - special_count;
  LearnedMerges learned = learn_merges(
      byte_words(state_->words), {.token_count = wanted, .min_count = options.min_frequency, .ties = options.ties});
  if (learned.tokens.size() < wanted) {
    fail(ErrorKind::data,
         "tokenizer training: the texts yield {} tokens (special ones counted), vocab_size asks for {}: give more "
         "text, or set vocab_size to {} or less",
         learned.tokens.size() + special_count, options.vocab_size, learned.tokens.size() + special_count);
  }
  const auto shifted = [&](std::int32_t id) { return id + static_cast<std::int32_t>(special_count); };
  BpeSpec spec;
  spec.added = added_tokens(options.special_tokens);
  spec.tokens.resize(special_count);
  for (std::string& token : learned.tokens) spec.tokens.push_back(std::move(token));
  for (const auto& [left, right] : learned.merges) spec.merges.emplace_back(shifted(left), shifted(right));
  spec.byte_level_split = options.split == kGpt2Split;
  if (!spec.byte_level_split) spec.splits = {options.split};
  spec.bos = options.bos;
  spec.eos = options.eos;
  spec.pad = options.pad;
  return make_bpe_tokenizer(std::move(spec), "the trained tokenizer");
}

std::unique_ptr<Tokenizer> train_bpe(std::span<const std::string> texts, BpeTrainerOptions options) {
  BpeTrainer trainer(std::move(options));
  for (const std::string& text : texts) trainer.add(text);
  return trainer.train();
}

BpeTrainerOptions default_bpe_options(std::int64_t vocabulary) {
  BpeTrainerOptions options;
  options.vocab_size = static_cast<std::int32_t>(vocabulary);
  options.special_tokens = {"<|eos|>", "<|bos|>", "<|pad|>"};
  options.eos = "<|eos|>";
  options.bos = "<|bos|>";
  options.pad = "<|pad|>";
  return options;
}

}  // namespace hone
