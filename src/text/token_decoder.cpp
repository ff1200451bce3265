#include "text/token_decoder.h"

namespace hone {
namespace {

class Collector final : public DecodeStage {
 public:
  explicit Collector(std::string& text) : DecodeStage(nullptr), text_(text) {}
  void push(Chunk chunk) override { text_ += chunk.text; }

 private:
  std::string& text_;
};

}  // namespace

std::unique_ptr<DecodeStage> DecoderChain::start(std::string& text) const {
  std::unique_ptr<DecodeStage> stage = std::make_unique<Collector>(text);
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) stage = (*step)->stage(std::move(stage));
  return stage;
}

std::string DecoderChain::piece(std::string token) const {
  for (const auto& step : steps_) token = step->piece(std::move(token));
  return token;
}

}  // namespace hone
