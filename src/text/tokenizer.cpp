#include "text/tokenizer.h"

#include "base/error.h"
#include "base/utf8.h"
#include "text/utf8_stream.h"

namespace hone {
namespace {

class ByteTextStream final : public TextStream {
 public:
  ByteTextStream(const Tokenizer& tokenizer, SkipSpecial skip) : tokenizer_(tokenizer), skip_(skip) {}
  std::string push(std::int32_t id) override {
    return characters_.push(tokenizer_.decode_bytes(std::span(&id, 1), skip_));
  }
  std::string finish() override { return characters_.finish(); }

 private:
  const Tokenizer& tokenizer_;
  SkipSpecial skip_;
  Utf8Stream characters_;
};

[[noreturn]] void fail_unable(std::string_view what) {
  fail(ErrorKind::usage, "this tokenizer cannot {}: load a tokenizer.json or one of the formats it replaces", what);
}

}  // namespace

void Tokenizer::check_id(std::int32_t id) const {
  if (id < 0 || id >= vocab_size()) {
    fail(ErrorKind::data, "token id {} is outside the tokenizer's vocabulary of {}", id, vocab_size());
  }
}

std::vector<std::int32_t> Tokenizer::encode_rendered(std::string_view, std::span<const TextRange>, AddSpecial) const {
  fail_unable("encode rendered conversations");
}

EncodedText Tokenizer::encode_rendered_with_offsets(std::string_view, std::span<const TextRange>) const {
  fail_unable("find the turns of rendered conversations");
}

EncodedText Tokenizer::encode_with_offsets(const TextPair&, AddSpecial, SpecialTokens) const {
  fail_unable("encode with offsets");
}

std::vector<EncodedText> Tokenizer::encode_batch(std::span<const TextPair>, AddSpecial, SpecialTokens) const {
  fail_unable("encode batches");
}

std::string Tokenizer::decode_bytes(std::span<const std::int32_t> ids, SkipSpecial skip) const {
  std::string bytes;
  for (const std::int32_t id : ids) {
    check_id(id);
    if (skip == SkipSpecial::no || !is_special(id)) bytes += id_to_bytes(id);
  }
  return bytes;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, SkipSpecial skip) const {
  return valid_utf8(decode_bytes(ids, skip));
}

std::unique_ptr<TextStream> Tokenizer::decode_stream(SkipSpecial skip) const {
  return std::make_unique<ByteTextStream>(*this, skip);
}

}  // namespace hone
