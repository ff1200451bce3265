#include "text/token_text_stream.h"

#include <utility>

namespace hone {
namespace {

class TokenTextStream final : public TextStream {
 public:
  TokenTextStream(const Tokenizer& tokenizer, const DecoderChain& decoder, SkipSpecial skip,
                  std::function<std::string(std::int32_t)> spelling)
      : tokenizer_(tokenizer), skip_(skip), spelling_(std::move(spelling)), stage_(decoder.start(text_)) {}

  std::string push(std::int32_t id) override {
    tokenizer_.check_id(id);
    if (skip_ == SkipSpecial::yes && tokenizer_.is_special(id)) return "";
    const std::string token = spelling_(id);
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
  std::function<std::string(std::int32_t)> spelling_;
  std::string text_;
  std::unique_ptr<DecodeStage> stage_;
};

}  // namespace

std::unique_ptr<TextStream> token_text_stream(const Tokenizer& tokenizer, const DecoderChain& decoder,
                                              SkipSpecial skip, std::function<std::string(std::int32_t)> spelling) {
  return std::make_unique<TokenTextStream>(tokenizer, decoder, skip, std::move(spelling));
}

}  // namespace hone
