#include "text/pipeline.h"

#include "base/error.h"
#include "base/utf8.h"
#include "text/byte_alphabet.h"
#include "text/text_repair.h"
#include "text/token_decoders.h"
#include "text/token_text_stream.h"

#include <algorithm>
#include <unordered_map>

namespace hone {
namespace {

using Ids = std::vector<std::int32_t>;

class PipelineTokenizer final : public Tokenizer {
 public:
  PipelineTokenizer(TokenizerParts parts, const std::string& source);

  Ids encode(std::string_view text, AddSpecial add, SpecialTokens special) const override;
  Ids encode_rendered(std::string_view text, std::span<const TextRange> untrusted, AddSpecial add) const override;
  EncodedText encode_rendered_with_offsets(std::string_view text, std::span<const TextRange> untrusted) const override;
  EncodedText encode_with_offsets(const TextPair& texts, AddSpecial add, SpecialTokens special) const override;
  std::vector<EncodedText> encode_batch(std::span<const TextPair> texts, AddSpecial add,
                                        SpecialTokens special) const override;
  std::string_view id_to_bytes(std::int32_t id) const override {
    HONE_ASSERT(id >= 0);
    return id < vocab_size() ? std::string_view(bytes_[static_cast<std::size_t>(id)]) : std::string_view();
  }
  std::optional<std::int32_t> token_to_id(std::string_view token) const override;
  std::string id_to_token(std::int32_t id) const override;
  std::int32_t vocab_size() const override { return static_cast<std::int32_t>(bytes_.size()); }
  std::optional<std::int32_t> bos_id() const override { return bos_; }
  std::optional<std::int32_t> eos_id() const override { return eos_; }
  std::optional<std::int32_t> pad_id() const override { return pad_; }
  std::optional<std::int32_t> unk_id() const override { return unk_; }
  std::optional<std::int32_t> mask_id() const override { return mask_; }
  bool is_special(std::int32_t id) const override { return id < vocab_size() && special_[static_cast<std::size_t>(id)]; }
  std::vector<SpecialToken> special_tokens() const override;
  void save(const std::filesystem::path& directory) const override { parts_.save(directory); }
  std::string decode(std::span<const std::int32_t> ids, SkipSpecial skip) const override;
  std::unique_ptr<TextStream> decode_stream(SkipSpecial skip) const override;

 private:
  /// What is found in one text, and how it is to be read.
  struct Run {
    AddedTokenMatcher::Rules rules;
    bool aligned = false;
    bool guarded = false;  ///< ordinary text must not become a special token
    Ids ids;
    std::vector<TextRange> offsets;  ///< when aligned
    SplitText split;
    std::vector<Subword> subwords;
    void add(std::int32_t id, TextRange origin) {
      ids.push_back(id);
      if (aligned) offsets.push_back(origin);
    }
  };

  void add_tokens(const std::string& source);
  std::optional<std::int32_t> named(const std::optional<std::string>& name, std::string_view role,
                                    const std::string& source) const;
  void run(std::string_view text, Run& run) const;
  void run_valid(std::string_view text, Run& run) const;
  void run_plain(std::string_view text, std::size_t place, Run& run) const;
  void run_stretch(std::string_view text, std::size_t place, Run& run) const;
  void run_normalized(Run& run) const;
  void tokenize(std::string_view piece, Run& run, std::size_t offset) const;
  bool is_forged(const Subword& token, const Run& run, std::size_t offset) const;
  std::vector<std::size_t> forged_cuts(std::string_view piece, Run& run, std::size_t offset) const;
  Run run_text(std::string_view text, SpecialTokens special, bool aligned) const;
  Run run_rendered(std::string_view text, std::span<const TextRange> untrusted, bool aligned) const;
  static EncodedText with_offsets(Run run, int sequence);
  std::vector<EncodedText> encoded(const TextPair& texts, SpecialTokens special) const;
  EncodedText joined(std::vector<EncodedText> parts, const TextPair& texts, AddSpecial add) const;

  TokenizerParts parts_;
  AddedTokenMatcher original_, normalized_;
  std::vector<std::string> bytes_;
  std::vector<bool> special_;
  std::unordered_map<std::string, std::int32_t> added_ids_;
  std::unordered_map<std::int32_t, std::string> added_texts_;
  std::unordered_map<std::int32_t, std::string> normal_texts_;  ///< of added tokens that are normalized: decoding gives it
  std::optional<std::int32_t> bos_, eos_, pad_, unk_, mask_;
};

PipelineTokenizer::PipelineTokenizer(TokenizerParts parts, const std::string& source)
    : parts_(std::move(parts)),
      original_(matched_in_original(parts_.added)),
      normalized_(matched_in_normalized(parts_.added, parts_.normalizer.get())) {
  HONE_ASSERT(parts_.model != nullptr && parts_.save);
  add_tokens(source);
  for (AddedToken& token : matched_in_normalized(parts_.added, parts_.normalizer.get())) {
    normal_texts_[token.id] = std::move(token.text);
  }
  bos_ = named(parts_.bos, "bos_token", source);
  eos_ = named(parts_.eos, "eos_token", source);
  pad_ = named(parts_.pad, "pad_token", source);
  unk_ = parts_.unk ? named(parts_.unk, "unk_token", source) : parts_.model->unknown_id();
  mask_ = named(parts_.mask, "mask_token", source);
  for (const std::int32_t id : parts_.post_processor.ids()) {
    if (id < 0 || id >= vocab_size()) {
      fail(ErrorKind::data, "{}: the post-processor adds id {}, outside the vocabulary of {}", source, id,
           vocab_size());
    }
  }
  for (std::int32_t id = 0; id < vocab_size(); ++id) {
    const auto normal = normal_texts_.find(id);
    std::string spelled = normal == normal_texts_.end() ? id_to_token(id) : normal->second;
    if (!spelled.empty()) bytes_[static_cast<std::size_t>(id)] = parts_.decoder.piece(std::move(spelled));
  }
  if (parts_.clean_up) {
    parts_.decoder.add(fuse_decoder());
    for (const CleanUp& step : clean_ups()) {
      parts_.decoder.add(replace_decoder(std::string(step.pattern), std::string(step.content)));
    }
  }
}

void PipelineTokenizer::add_tokens(const std::string& source) {
  std::int32_t size = parts_.model->vocab_size();
  for (const AddedToken& token : parts_.added) size = std::max(size, token.id + 1);
  bytes_.resize(static_cast<std::size_t>(size));
  special_.resize(bytes_.size());
  for (const AddedToken& token : parts_.added) {
    if (!added_ids_.emplace(token.text, token.id).second) {
      fail(ErrorKind::data, "{}: added token {} is listed twice", source, token.text);
    }
    if (token.id < parts_.model->vocab_size()) {
      const std::string known = parts_.model->id_to_token(token.id);
      if (!known.empty() && known != token.text && from_byte_alphabet(known) != token.text) {
        fail(ErrorKind::data, "{}: id {} is both added token {} and {}", source, token.id, token.text, known);
      }
    }
    added_texts_[token.id] = token.text;
    special_[static_cast<std::size_t>(token.id)] = token.special;
  }
}

std::optional<std::int32_t> PipelineTokenizer::named(const std::optional<std::string>& name, std::string_view role,
                                                     const std::string& source) const {
  if (!name) return std::nullopt;
  const auto id = token_to_id(*name);
  if (!id) fail(ErrorKind::data, "{}: {} {} is not in the vocabulary", source, role, *name);
  return id;
}

void PipelineTokenizer::run(std::string_view text, Run& run) const {
  if (text.size() >= UINT32_MAX) {
    fail(ErrorKind::data, "a text of {} bytes is too long to encode at once: the limit is 4 GiB", text.size());
  }
  if (parts_.raw_bytes || first_invalid_utf8(text) == std::string_view::npos) return run_valid(text, run);
  const TextRepair repair(text);
  std::vector<TextRange> untrusted;
  for (const TextRange range : run.rules.untrusted) untrusted.push_back(repair.forward(range));
  run.rules.untrusted = untrusted;
  run_valid(repair.text(), run);
  for (TextRange& range : run.offsets) range = repair.back(range);
}

void PipelineTokenizer::run_valid(std::string_view text, Run& run) const {
  std::size_t done = 0;
  for (const auto& match : original_.find_all(text, run.rules)) {
    if (done < match.begin) run_plain(text.substr(done, match.begin - done), done, run);
    run.add(match.id, {match.begin, match.end});
    done = match.end;
  }
  if (done < text.size()) run_plain(text.substr(done), done, run);
}

/// Text without added tokens, of raw_bytes perhaps with bytes that are not UTF-8.
void PipelineTokenizer::run_plain(std::string_view text, std::size_t place, Run& run) const {
  while (parts_.raw_bytes && !text.empty()) {
    const std::size_t bad = first_invalid_utf8(text);
    if (bad == std::string_view::npos) break;
    if (bad != 0) run_stretch(text.substr(0, bad), place, run);
    run.subwords.clear();
    parts_.model->tokenize(text.substr(bad, 1), run.subwords);
    for (const Subword& token : run.subwords) run.add(token.id, {place + bad, place + bad + 1});
    text.remove_prefix(bad + 1);
    place += bad + 1;
  }
  if (!text.empty()) run_stretch(text, place, run);
}

void PipelineTokenizer::run_stretch(std::string_view text, std::size_t place, Run& run) const {
  const bool needs_origins = parts_.pre_tokenizer != nullptr && parts_.pre_tokenizer->needs_origins(false);
  AlignedText aligned(text, run.aligned || needs_origins, place);
  if (parts_.normalizer != nullptr) parts_.normalizer->normalize(aligned);
  if (normalized_.empty()) {
    run.split.text = std::move(aligned);
    return run_normalized(run);
  }
  AddedTokenMatcher::Rules rules = run.rules;
  std::vector<TextRange> untrusted;
  if (!rules.untrusted.empty()) untrusted = bytes_from(aligned, rules.untrusted);
  rules.untrusted = untrusted;
  std::size_t done = 0;
  const auto plain = [&](std::size_t end) {
    if (done >= end) return;
    run.split.text = aligned.slice(done, end);
    run_normalized(run);
  };
  for (const auto& match : normalized_.find_all(aligned.text(), rules)) {
    plain(match.begin);
    run.add(match.id, aligned.is_aligned() ? aligned.origin(match.begin, match.end) : TextRange{});
    done = match.end;
  }
  plain(aligned.text().size());
}

void PipelineTokenizer::run_normalized(Run& run) const {
  SplitText& split = run.split;
  if (split.text.text().empty()) return;
  split.pieces.assign(1, {0, split.text.text().size()});
  if (parts_.pre_tokenizer != nullptr) parts_.pre_tokenizer->split(split);
  for (const TextRange range : split.pieces) tokenize(split.piece(range), run, range.begin);
}

bool PipelineTokenizer::is_forged(const Subword& token, const Run& run, std::size_t offset) const {
  if (!special_[static_cast<std::size_t>(token.id)] || token.id == parts_.model->unknown_id()) return false;
  if (run.rules.untrusted.empty()) return true;
  const TextRange origin = run.split.text.origin(offset + token.begin, offset + token.end);
  return std::any_of(run.rules.untrusted.begin(), run.rules.untrusted.end(), [&](TextRange range) {
    return range.begin < origin.end && origin.begin < range.end;
  });
}

/// Where to cut a piece that the vocabulary takes for special tokens although its text is ordinary: within each of
/// them. One that is a single character becomes unknown at once. `offset`: of the piece in run.split.
std::vector<std::size_t> PipelineTokenizer::forged_cuts(std::string_view piece, Run& run, std::size_t offset) const {
  std::vector<std::size_t> cuts;
  for (Subword& token : run.subwords) {
    if (!is_forged(token, run, offset)) continue;
    std::size_t cut = token.begin + 1;
    while (cut < token.end && (static_cast<unsigned char>(piece[cut]) & 0xC0) == 0x80) ++cut;
    if (cut < token.end) {
      cuts.push_back(cut);
    } else if (const auto unknown = parts_.model->unknown_id()) {
      token.id = *unknown;
    }
  }
  return cuts;
}

void PipelineTokenizer::tokenize(std::string_view piece, Run& run, std::size_t offset) const {
  run.subwords.clear();
  parts_.model->tokenize(piece, run.subwords);
  if (run.guarded) {
    std::vector<std::size_t> cuts = forged_cuts(piece, run, offset);
    if (!cuts.empty()) {
      cuts.push_back(piece.size());
      std::size_t begin = 0;
      for (const std::size_t cut : cuts) {
        tokenize(piece.substr(begin, cut - begin), run, offset + begin);
        begin = cut;
      }
      return;
    }
  }
  for (const Subword& token : run.subwords) {
    run.ids.push_back(token.id);
    if (run.aligned) run.offsets.push_back(run.split.text.origin(offset + token.begin, offset + token.end));
  }
}

PipelineTokenizer::Run PipelineTokenizer::run_text(std::string_view text, SpecialTokens special, bool aligned) const {
  Run run;
  run.rules.special = special == SpecialTokens::parse;
  run.guarded = special == SpecialTokens::as_text;
  run.aligned = aligned;
  run.ids.reserve(text.size() / 3 + 4);
  this->run(text, run);
  return run;
}

Ids PipelineTokenizer::encode(std::string_view text, AddSpecial add, SpecialTokens special) const {
  Run run = run_text(text, special, false);
  return add == AddSpecial::yes ? parts_.post_processor.wrap(std::move(run.ids)) : std::move(run.ids);
}

PipelineTokenizer::Run PipelineTokenizer::run_rendered(std::string_view text, std::span<const TextRange> untrusted,
                                                       bool aligned) const {
  std::size_t last = 0;
  for (const TextRange range : untrusted) {
    HONE_ASSERT(last <= range.begin && range.begin <= range.end && range.end <= text.size());
    last = range.end;
  }
  Run run;
  run.rules.untrusted = untrusted;
  run.guarded = !untrusted.empty();
  run.aligned = aligned || run.guarded;
  this->run(text, run);
  return run;
}

Ids PipelineTokenizer::encode_rendered(std::string_view text, std::span<const TextRange> untrusted,
                                       AddSpecial add) const {
  Run run = run_rendered(text, untrusted, false);
  return add == AddSpecial::yes ? parts_.post_processor.wrap(std::move(run.ids)) : std::move(run.ids);
}

EncodedText PipelineTokenizer::encode_rendered_with_offsets(std::string_view text,
                                                            std::span<const TextRange> untrusted) const {
  return with_offsets(run_rendered(text, untrusted, true), 0);
}

EncodedText PipelineTokenizer::with_offsets(Run run, int sequence) {
  const std::size_t count = run.ids.size();
  return {std::move(run.ids), std::vector<std::int32_t>(count, sequence), std::move(run.offsets),
          std::vector<std::int8_t>(count, static_cast<std::int8_t>(sequence)), std::vector<std::uint8_t>(count, 1)};
}

std::vector<EncodedText> PipelineTokenizer::encoded(const TextPair& texts, SpecialTokens special) const {
  std::vector<EncodedText> result;
  result.push_back(with_offsets(run_text(texts.first, special, true), 0));
  if (texts.second) result.push_back(with_offsets(run_text(*texts.second, special, true), 1));
  return result;
}

EncodedText PipelineTokenizer::joined(std::vector<EncodedText> parts, const TextPair& texts, AddSpecial add) const {
  const std::string_view originals[] = {texts.first, texts.second.value_or(std::string_view())};
  return parts_.post_processor.join(std::move(parts), originals, add, [this](std::int32_t id, std::string_view slice) {
    return added_texts_.contains(id) ? std::string(slice) : id_to_token(id);
  });
}

EncodedText PipelineTokenizer::encode_with_offsets(const TextPair& texts, AddSpecial add,
                                                   SpecialTokens special) const {
  return joined(encoded(texts, special), texts, add);
}

std::vector<EncodedText> PipelineTokenizer::encode_batch(std::span<const TextPair> texts, AddSpecial add,
                                                         SpecialTokens special) const {
  std::vector<EncodedText> batch;
  for (const TextPair& pair : texts) {
    std::vector<EncodedText> parts = encoded(pair, special);
    const std::size_t added = add == AddSpecial::yes ? parts_.post_processor.added(parts.size() == 2) : 0;
    if (parts_.truncation) truncate(parts, *parts_.truncation, added);
    batch.push_back(joined(std::move(parts), pair, add));
  }
  if (parts_.padding) pad(batch, *parts_.padding);
  return batch;
}

std::optional<std::int32_t> PipelineTokenizer::token_to_id(std::string_view token) const {
  if (const auto added = added_ids_.find(std::string(token)); added != added_ids_.end()) return added->second;
  if (first_invalid_utf8(token) != std::string_view::npos) return std::nullopt;
  return parts_.model->token_to_id(token);
}

std::string PipelineTokenizer::id_to_token(std::int32_t id) const {
  HONE_ASSERT(id >= 0 && id < vocab_size());
  if (const auto added = added_texts_.find(id); added != added_texts_.end()) return added->second;
  return id < parts_.model->vocab_size() ? parts_.model->id_to_token(id) : "";
}

std::vector<SpecialToken> PipelineTokenizer::special_tokens() const {
  std::vector<SpecialToken> result;
  for (const AddedToken& token : parts_.added) {
    if (token.special) result.push_back({token.id, token.text});
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return result;
}

std::string PipelineTokenizer::decode(std::span<const std::int32_t> ids, SkipSpecial skip) const {
  if (parts_.decoder.joins_bytes()) return Tokenizer::decode(ids, skip);
  const auto stream = decode_stream(skip);
  std::string text;
  for (const std::int32_t id : ids) text += stream->push(id);
  return text += stream->finish();
}

std::unique_ptr<TextStream> PipelineTokenizer::decode_stream(SkipSpecial skip) const {
  if (parts_.decoder.joins_bytes()) return Tokenizer::decode_stream(skip);
  return token_text_stream(*this, parts_.decoder, skip, [this](std::int32_t id) {
    const auto normal = normal_texts_.find(id);
    return normal == normal_texts_.end() ? id_to_token(id) : normal->second;
  });
}

}  // namespace

std::unique_ptr<Tokenizer> make_tokenizer(TokenizerParts parts, const std::string& source) {
  return std::make_unique<PipelineTokenizer>(std::move(parts), source);
}

}  // namespace hone
