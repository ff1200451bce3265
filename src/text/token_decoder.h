#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// Tokens on their way to text, one stage after another. A token may come in several chunks.
class DecodeStage {
 public:
  struct Chunk {
    std::string_view text;
    bool begins = true;  ///< a token begins here
    bool ends = true;    ///< and ends here
  };

  explicit DecodeStage(std::unique_ptr<DecodeStage> next) : next_(std::move(next)) {}
  virtual ~DecodeStage() = default;
  virtual void push(Chunk chunk) = 0;
  /// The end of the tokens; once.
  virtual void finish() {
    if (next_) next_->finish();
  }

 protected:
  DecodeStage& next() { return *next_; }

 private:
  std::unique_ptr<DecodeStage> next_;
};

/// One step of a tokenizer's decoder: the `decoder` section of tokenizer.json. Immutable: several threads may use it.
class TokenDecoder {
 public:
  virtual ~TokenDecoder() = default;
  /// A stage that hands what it makes on to `next`. The decoder must outlive it.
  virtual std::unique_ptr<DecodeStage> stage(std::unique_ptr<DecodeStage> next) const = 0;
  /// What the step makes of a token in the middle of a text; the token's bytes, perhaps a part of a character.
  virtual std::string piece(std::string token) const { return token; }
  /// The text is no more than the joined bytes of the pieces.
  virtual bool joins_bytes() const { return false; }
};

/// The steps in their order.
class DecoderChain {
 public:
  void add(std::unique_ptr<TokenDecoder> step) { steps_.push_back(std::move(step)); }
  /// The first stage; the text is appended to `text`, which must outlive it.
  std::unique_ptr<DecodeStage> start(std::string& text) const;
  std::string piece(std::string token) const;
  /// Decoding is joining `piece` of all tokens as valid UTF-8.
  bool joins_bytes() const { return steps_.size() == 1 && steps_[0]->joins_bytes(); }

 private:
  std::vector<std::unique_ptr<TokenDecoder>> steps_;
};

}  // namespace hone
