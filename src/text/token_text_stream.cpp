#include "text/token_text_stream.h"

#include <utility>

namespace hone {
namespace {

class TokenTextStream final : public TextStream {
 public:
  TokenTextStream(const Tokenizer& tokenizer, const DecoderChain& decoder, SkipSpecial skip)
      : tokenizer_(tokenizer), skip_(skip), stage_(decoder.start(text_)) {}

  std::string push(std::int32_t id) override {
    tokenizer_.check_id(id);
    if (skip_ == SkipSpecial::yes && tokenizer_.is_special(id)) return "";
    const std::string token = tokenizer_.id_to_token(id);
    if (!token.empty()) stage_->push({token});
    return std::exchange(text_, {});
  }
  std::string finish() override {
    stage_->finish();
    return std::exchange(text_, {});
  }

 private:
  const Tokenizer& tokenizer_;
  SkipSpecial skip_;
  std::string text_;
  std::unique_ptr<DecodeStage> stage_;
};

}  // namespace

std::unique_ptr<TextStream> token_text_stream(const Tokenizer& tokenizer, const DecoderChain& decoder,
                                              SkipSpecial skip) {
  return std::make_unique<TokenTextStream>(tokenizer, decoder, skip);
}

}  // namespace hone
