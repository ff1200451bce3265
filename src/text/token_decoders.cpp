#include "text/token_decoders.h"

#include "base/utf8.h"
#include "text/byte_alphabet.h"
#include "text/token_stages.h"
#include "text/utf8_stream.h"

#include <functional>

namespace hone {
namespace {

class ByteLevelDecoder final : public TokenDecoder {
 public:
  bool joins_bytes() const override { return true; }
  std::string piece(std::string token) const override {
    auto bytes = from_byte_alphabet(token);
    return bytes ? std::move(*bytes) : std::move(token);
  }
  std::unique_ptr<DecodeStage> stage(std::unique_ptr<DecodeStage> next) const override {
    class Stage final : public TokenStage {
     public:
      Stage(const ByteLevelDecoder& decoder, std::unique_ptr<DecodeStage> next)
          : TokenStage(std::move(next)), decoder_(decoder) {}
      void token(std::string text) override { hand_on(characters_.push(decoder_.piece(std::move(text))), false); }
      void finish() override {
        hand_on(characters_.finish(), true);
        TokenStage::finish();
      }

     private:
      void hand_on(const std::string& text, bool ends) {
        next().push({text, first_, ends});
        first_ = false;
      }
      const ByteLevelDecoder& decoder_;
      Utf8Stream characters_;
      bool first_ = true;
    };
    return std::make_unique<Stage>(*this, std::move(next));
  }
};

/// Each token by itself, with its place among the tokens.
class MapDecoder final : public TokenDecoder {
 public:
  using Map = std::function<std::string(std::string token, std::size_t index)>;
  explicit MapDecoder(Map map) : map_(std::move(map)) {}

  std::string piece(std::string token) const override { return map_(std::move(token), 1); }
  std::unique_ptr<DecodeStage> stage(std::unique_ptr<DecodeStage> next) const override {
    class Stage final : public TokenStage {
     public:
      Stage(const Map& map, std::unique_ptr<DecodeStage> next) : TokenStage(std::move(next)), map_(map) {}
      void token(std::string text) override { next().push({map_(std::move(text), index_++)}); }

     private:
      const Map& map_;
      std::size_t index_ = 0;
    };
    return std::make_unique<Stage>(map_, std::move(next));
  }

 private:
  Map map_;
};

class SuffixDecoder final : public TokenDecoder {
 public:
  explicit SuffixDecoder(std::string suffix) : suffix_(std::move(suffix)) {}

  std::string piece(std::string token) const override { return replaced(std::move(token), suffix_, " "); }
  std::unique_ptr<DecodeStage> stage(std::unique_ptr<DecodeStage> next) const override {
    class Stage final : public TokenStage {
     public:
      Stage(const std::string& suffix, std::unique_ptr<DecodeStage> next)
          : TokenStage(std::move(next)), suffix_(suffix) {}
      void token(std::string text) override {
        if (held_) next().push({replaced(std::move(*held_), suffix_, " ")});
        held_ = std::move(text);
      }
      void finish() override {
        if (held_) next().push({replaced(std::move(*held_), suffix_, "")});
        TokenStage::finish();
      }

     private:
      const std::string& suffix_;
      std::optional<std::string> held_;
    };
    return std::make_unique<Stage>(suffix_, std::move(next));
  }

 private:
  std::string suffix_;
};

class FuseDecoder final : public TokenDecoder {
 public:
  std::unique_ptr<DecodeStage> stage(std::unique_ptr<DecodeStage> next) const override {
    class Stage final : public DecodeStage {
     public:
      using DecodeStage::DecodeStage;
      void push(Chunk chunk) override {
        next().push({chunk.text, first_, false});
        first_ = false;
      }
      void finish() override {
        next().push({"", first_, true});
        DecodeStage::finish();
      }

     private:
      bool first_ = true;
    };
    return std::make_unique<Stage>(std::move(next));
  }
};

class CtcDecoder final : public TokenDecoder {
 public:
  CtcDecoder(std::string pad, std::string delimiter, bool cleanup)
      : pad_(std::move(pad)), delimiter_(std::move(delimiter)), cleanup_(cleanup) {}

  std::string piece(std::string token) const override {
    token = replaced(std::move(token), pad_, "");
    return cleanup_ ? replaced(cleaned_up(std::move(token)), delimiter_, " ") : token;
  }
  std::unique_ptr<DecodeStage> stage(std::unique_ptr<DecodeStage> next) const override {
    class Stage final : public TokenStage {
     public:
      Stage(const CtcDecoder& decoder, std::unique_ptr<DecodeStage> next)
          : TokenStage(std::move(next)), decoder_(decoder) {}
      void token(std::string text) override {
        if (last_ == text) return;
        last_ = text;
        const std::string left = decoder_.piece(std::move(text));
        if (!left.empty()) next().push({left});
      }

     private:
      const CtcDecoder& decoder_;
      std::optional<std::string> last_;
    };
    return std::make_unique<Stage>(*this, std::move(next));
  }

 private:
  std::string pad_, delimiter_;
  bool cleanup_;
};

}  // namespace

std::unique_ptr<TokenDecoder> byte_level_decoder() { return std::make_unique<ByteLevelDecoder>(); }

std::unique_ptr<TokenDecoder> wordpiece_decoder(std::string prefix, bool cleanup) {
  return std::make_unique<MapDecoder>([=](std::string token, std::size_t index) {
    if (index > 0 && token.starts_with(prefix)) {
      token.erase(0, prefix.size());
    } else if (index > 0) {
      token.insert(0, 1, ' ');
    }
    return cleanup ? cleaned_up(std::move(token)) : token;
  });
}

std::unique_ptr<TokenDecoder> metaspace_decoder(std::string replacement, bool prepended) {
  return std::make_unique<MapDecoder>([=](std::string token, std::size_t index) {
    return replaced(std::move(token), replacement, index == 0 && prepended ? "" : " ");
  });
}

std::unique_ptr<TokenDecoder> suffix_decoder(std::string suffix) {
  return std::make_unique<SuffixDecoder>(std::move(suffix));
}

std::unique_ptr<TokenDecoder> fuse_decoder() { return std::make_unique<FuseDecoder>(); }

std::unique_ptr<TokenDecoder> regex_replace_decoder(Splitter pattern, std::string content) {
  const auto shared = std::make_shared<Splitter>(std::move(pattern));
  return std::make_unique<MapDecoder>([shared, content](std::string token, std::size_t) {
    Splitter::Scratch scratch;
    std::vector<TextRange> matches;
    shared->find(token, {0, token.size()}, scratch, matches);
    std::string result;
    std::size_t done = 0;
    for (const TextRange match : matches) {
      result.append(token, done, match.begin - done).append(content);
      done = match.end;
    }
    return result.append(token, done);
  });
}

std::unique_ptr<TokenDecoder> ctc_decoder(std::string pad, std::string delimiter, bool cleanup) {
  return std::make_unique<CtcDecoder>(std::move(pad), std::move(delimiter), cleanup);
}

std::unique_ptr<TokenDecoder> joining_decoder() {
  return std::make_unique<MapDecoder>(
      [](std::string token, std::size_t index) { return index > 0 ? " " + token : token; });
}

}  // namespace hone
