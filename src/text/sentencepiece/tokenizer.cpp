#include "text/sentencepiece/tokenizer.h"

#include "text/added_tokens.h"
#include "text/sentencepiece/decoding.h"
#include "text/sentencepiece/encoder.h"

#include <unordered_map>

namespace hone {
namespace {

using Ids = std::vector<std::int32_t>;
using PieceType = SentencePieceModel::PieceType;

std::vector<AddedToken> control_tokens(const SentencePieceModel& model) {
  std::vector<AddedToken> tokens;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    if (model.pieces[id].type != PieceType::control) continue;
    tokens.push_back({.id = static_cast<std::int32_t>(id), .text = model.pieces[id].text});
  }
  return tokens;
}

/// What a piece stands for in the middle of a text.
std::vector<std::string> piece_bytes(const SentencePieceModel& model) {
  std::vector<std::string> bytes;
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    std::string& text = bytes.emplace_back(piece.text);
    if (piece.type == PieceType::byte) text.assign(1, static_cast<char>(*byte_of_piece(piece.text)));
    if (piece.type == PieceType::unknown) text = model.unknown_surface;
    if (piece.type == PieceType::control) continue;
    for (std::size_t at; (at = text.find(kSpaceMark)) != std::string::npos;) text.replace(at, kSpaceMark.size(), " ");
  }
  return bytes;
}

class SentencePieceTokenizer final : public Tokenizer {
 public:
  SentencePieceTokenizer(SentencePieceModel model, const std::string& source,
                         std::function<void(const std::filesystem::path&)> save)
      : encoder_(std::move(model), source),
        controls_(control_tokens(encoder_.model())),
        bytes_(piece_bytes(encoder_.model())),
        save_(std::move(save)) {
    for (std::size_t id = 0; id < pieces().size(); ++id) ids_.emplace(pieces()[id].text, static_cast<std::int32_t>(id));
  }

  Ids encode(std::string_view text, AddSpecial, SpecialTokens special) const override {
    if (special == SpecialTokens::as_text) return encoder_.encode(text);
    return encode_between(text, controls_.find_all(text, {}));
  }
  Ids encode_rendered(std::string_view text, std::span<const TextRange> untrusted, AddSpecial) const override {
    return encode_between(text, controls_.find_all(text, {.untrusted = untrusted}));
  }

  std::string_view id_to_bytes(std::int32_t id) const override {
    return static_cast<std::size_t>(id) < bytes_.size() ? bytes_[static_cast<std::size_t>(id)] : std::string_view();
  }
  std::optional<std::int32_t> token_to_id(std::string_view token) const override {
    const auto found = ids_.find(token);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
  }
  std::string id_to_token(std::int32_t id) const override {
    check_id(id);
    return pieces()[static_cast<std::size_t>(id)].text;
  }

  std::int32_t vocab_size() const override { return static_cast<std::int32_t>(pieces().size()); }
  std::optional<std::int32_t> bos_id() const override { return control(encoder_.model().bos_piece); }
  std::optional<std::int32_t> eos_id() const override { return control(encoder_.model().eos_piece); }
  std::optional<std::int32_t> pad_id() const override { return control(encoder_.model().pad_piece); }
  std::optional<std::int32_t> unk_id() const override { return encoder_.model().unknown; }
  bool is_special(std::int32_t id) const override {
    return static_cast<std::size_t>(id) < pieces().size() &&
           pieces()[static_cast<std::size_t>(id)].type == PieceType::control;
  }
  std::vector<SpecialToken> special_tokens() const override {
    std::vector<SpecialToken> tokens;
    for (const AddedToken& token : control_tokens(encoder_.model())) tokens.push_back({token.id, token.text});
    return tokens;
  }

  void save(const std::filesystem::path& directory) const override { save_(directory); }

  std::string decode(std::span<const std::int32_t> ids, SkipSpecial skip) const override {
    SentencePieceDecoding decoding(encoder_.model(), skip == SkipSpecial::no);
    std::string text;
    for (const std::int32_t id : ids) {
      check_id(id);
      text += decoding.push(id);
    }
    return text + decoding.finish();
  }
  std::unique_ptr<TextStream> decode_stream(SkipSpecial skip) const override {
    return std::make_unique<Stream>(*this, skip);
  }

 private:
  class Stream final : public TextStream {
   public:
    Stream(const SentencePieceTokenizer& tokenizer, SkipSpecial skip)
        : tokenizer_(tokenizer), decoding_(tokenizer.encoder_.model(), skip == SkipSpecial::no) {}
    std::string push(std::int32_t id) override {
      tokenizer_.check_id(id);
      return decoding_.push(id);
    }
    std::string finish() override { return decoding_.finish(); }

   private:
    const SentencePieceTokenizer& tokenizer_;
    SentencePieceDecoding decoding_;
  };

  const std::vector<SentencePieceModel::Piece>& pieces() const { return encoder_.model().pieces; }
  std::optional<std::int32_t> control(std::string_view piece) const {
    return encoder_.model().find(piece, PieceType::control);
  }

  Ids encode_between(std::string_view text, const std::vector<AddedTokenMatcher::Match>& matches) const {
    Ids ids;
    std::size_t done = 0;
    const auto add_text = [&](std::size_t end) {
      const Ids more = encoder_.encode(text.substr(done, end - done));
      ids.insert(ids.end(), more.begin(), more.end());
    };
    for (const AddedTokenMatcher::Match& match : matches) {
      add_text(match.begin);
      ids.push_back(match.id);
      done = match.end;
    }
    add_text(text.size());
    return ids;
  }

  SentencePieceEncoder encoder_;
  AddedTokenMatcher controls_;
  std::vector<std::string> bytes_;
  std::unordered_map<std::string_view, std::int32_t> ids_;
  std::function<void(const std::filesystem::path&)> save_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(SentencePieceModel model, const std::string& source,
                                                        std::function<void(const std::filesystem::path&)> save) {
  return std::make_unique<SentencePieceTokenizer>(std::move(model), source, std::move(save));
}

}  // namespace hone
