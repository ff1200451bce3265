#include "text/token_stages.h"

#include "base/utf8.h"
#include "text/token_decoders.h"

#include <algorithm>

namespace hone {
namespace {

class ReplaceDecoder final : public TokenDecoder {
 public:
  ReplaceDecoder(std::string pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}

  std::string piece(std::string token) const override { return replaced(std::move(token), pattern_, content_); }
  std::unique_ptr<DecodeStage> stage(std::unique_ptr<DecodeStage> next) const override {
    return std::make_unique<Stage>(*this, std::move(next));
  }

 private:
  /// Holds back what may become the pattern.
  class Stage final : public DecodeStage {
   public:
    Stage(const ReplaceDecoder& decoder, std::unique_ptr<DecodeStage> next)
        : DecodeStage(std::move(next)), decoder_(decoder) {}
    void push(Chunk chunk) override {
      held_ += chunk.text;
      const std::string_view pattern = decoder_.pattern_;
      std::string out;
      std::size_t done = 0;
      for (std::size_t at; !pattern.empty() && (at = held_.find(pattern, done)) != std::string::npos;) {
        out.append(held_, done, at - done).append(decoder_.content_);
        done = at + pattern.size();
      }
      std::size_t keep = chunk.ends || pattern.empty() ? 0 : std::min(pattern.size() - 1, held_.size() - done);
      while (keep > 0 && !pattern.starts_with(std::string_view(held_).substr(held_.size() - keep))) --keep;
      out.append(held_, done, held_.size() - done - keep);
      held_.erase(0, held_.size() - keep);
      next().push({out, chunk.begins, chunk.ends});
    }

   private:
    const ReplaceDecoder& decoder_;
    std::string held_;
  };

  std::string pattern_, content_;
};

class StripDecoder final : public TokenDecoder {
 public:
  StripDecoder(std::string content, std::size_t start, std::size_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}
  std::unique_ptr<DecodeStage> stage(std::unique_ptr<DecodeStage> next) const override {
    return std::make_unique<Stage>(*this, std::move(next));
  }

 private:
  class Stage final : public DecodeStage {
   public:
    Stage(const StripDecoder& decoder, std::unique_ptr<DecodeStage> next)
        : DecodeStage(std::move(next)), decoder_(decoder) {}
    void push(Chunk chunk) override {
      if (chunk.begins) {
        stripped_ = pending_ = 0;
        opening_ = true;
      }
      const std::string& content = decoder_.content_;
      std::string out;
      for (std::size_t at = 0; at < chunk.text.size();) {
        const bool is_content = chunk.text.substr(at, content.size()) == content;
        opening_ = opening_ && is_content && stripped_ < decoder_.start_;
        if (opening_) {
          ++stripped_;
        } else if (is_content) {
          if (pending_ == decoder_.stop_) out += content;
          pending_ = std::min(pending_ + 1, decoder_.stop_);
        } else {
          for (; pending_ > 0; --pending_) out += content;
          out += chunk.text[at];
        }
        at += is_content ? content.size() : 1;
      }
      next().push({out, chunk.begins, chunk.ends});
    }

   private:
    const StripDecoder& decoder_;
    std::size_t stripped_ = 0;
    std::size_t pending_ = 0;  // held back: perhaps the end
    bool opening_ = true;
  };

  std::string content_;
  std::size_t start_, stop_;
};

class ByteFallbackDecoder final : public TokenDecoder {
 public:
  std::string piece(std::string token) const override {
    const auto byte = byte_of(token);
    return byte ? std::string(1, *byte) : token;
  }
  std::unique_ptr<DecodeStage> stage(std::unique_ptr<DecodeStage> next) const override {
    return std::make_unique<Stage>(std::move(next));
  }

 private:
  static std::optional<char> byte_of(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
    int value = 0;
    for (const char c : token.substr(3, 2)) {
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
      if (digit < 0) return std::nullopt;
      value = 16 * value + digit;
    }
    return static_cast<char>(value);
  }

  class Stage final : public TokenStage {
   public:
    using TokenStage::TokenStage;
    void token(std::string text) override {
      if (const auto byte = byte_of(text)) {
        bytes_ += *byte;
        return;
      }
      flush();
      next().push({text});
    }
    void finish() override {
      flush();
      TokenStage::finish();
    }

   private:
    void flush() {
      if (bytes_.empty()) return;
      if (first_invalid_utf8(bytes_) == std::string::npos) {
        next().push({bytes_});
      } else {
        for (std::size_t i = 0; i < bytes_.size(); ++i) next().push({"\xEF\xBF\xBD"});
      }
      bytes_.clear();
    }
    std::string bytes_;
  };
};

}  // namespace

std::string replaced(std::string text, std::string_view pattern, std::string_view content) {
  if (pattern.empty() || text.find(pattern) == std::string::npos) return text;
  std::string result;
  std::size_t done = 0;
  for (std::size_t at; (at = text.find(pattern, done)) != std::string::npos; done = at + pattern.size()) {
    result.append(text, done, at - done).append(content);
  }
  return result.append(text, done);
}

const std::vector<CleanUp>& clean_ups() {
  static const std::vector<CleanUp> result = {{" .", "."},     {" ?", "?"},     {" !", "!"},     {" ,", ","},
                                              {" ' ", "'"},    {" n't", "n't"}, {" 'm", "'m"},   {" 's", "'s"},
                                              {" 've", "'ve"}, {" 're", "'re"}};
  return result;
}

std::string cleaned_up(std::string text) {
  for (const CleanUp& step : clean_ups()) {
    if (step.pattern == " 's") text = replaced(std::move(text), " do not", " don't");
    text = replaced(std::move(text), step.pattern, step.content);
  }
  return text;
}

std::unique_ptr<TokenDecoder> replace_decoder(std::string pattern, std::string content) {
  return std::make_unique<ReplaceDecoder>(std::move(pattern), std::move(content));
}

std::unique_ptr<TokenDecoder> strip_decoder(std::string content, std::size_t start, std::size_t stop) {
  return std::make_unique<StripDecoder>(std::move(content), start, stop);
}

std::unique_ptr<TokenDecoder> byte_fallback_decoder() { return std::make_unique<ByteFallbackDecoder>(); }

}  // namespace hone
