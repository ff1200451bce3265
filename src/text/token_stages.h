#pragma once

#include "text/token_decoder.h"

#include <utility>

namespace hone {

/// A stage that works on whole tokens.
class TokenStage : public DecodeStage {
 public:
  using DecodeStage::DecodeStage;
  void push(Chunk chunk) final {
    if (chunk.begins) held_.clear();
    held_ += chunk.text;
    if (chunk.ends) token(std::exchange(held_, {}));
  }

 private:
  virtual void token(std::string text) = 0;
  std::string held_;
};

/// `text` with every `pattern` replaced, from left to right.
std::string replaced(std::string text, std::string_view pattern, std::string_view content);
/// No space before punctuation and English contractions, as the tokenizers library has it.
std::string cleaned_up(std::string text);

}  // namespace hone
