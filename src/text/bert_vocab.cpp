#include "text/bert_vocab.h"

#include "base/error.h"
#include "base/utf8.h"
#include "io/file.h"
#include "text/bert_normalizer.h"
#include "text/pre_tokenizers.h"
#include "text/token_decoders.h"
#include "text/wordpiece.h"

#include <algorithm>
#include <unordered_set>

namespace hone {
namespace {

std::vector<std::string> read_tokens(const std::filesystem::path& file) {
  const std::string contents = read_file(file);
  std::vector<std::string> tokens;
  std::unordered_set<std::string_view> seen;
  std::string_view text = contents;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string where = fmt::format("{}:{}", file.string(), tokens.size() + 1);
    if (first_invalid_utf8(line) != std::string_view::npos) fail(ErrorKind::data, "{}: not valid UTF-8", where);
    if (!line.empty() && !seen.insert(line).second) fail(ErrorKind::data, "{}: \"{}\" is there twice", where, line);
    tokens.emplace_back(line);
  }
  return tokens;
}

}  // namespace

std::unique_ptr<Tokenizer> load_bert_vocab(const std::filesystem::path& file, const TokenizerConfig& config,
                                           std::function<void(const std::filesystem::path&)> save) {
  const std::string source = file.string();
  WordPieceSpec spec;
  spec.tokens = read_tokens(file);
  spec.unk_token = config.unk.value_or("[UNK]");
  TokenizerParts parts;
  const auto id_of = [&](const std::string& token) {
    const auto found = std::find(spec.tokens.begin(), spec.tokens.end(), token);
    if (found == spec.tokens.end()) fail(ErrorKind::data, "{}: {} is not in the vocabulary", source, token);
    return static_cast<std::int32_t>(found - spec.tokens.begin());
  };
  const std::string cls = config.cls.value_or("[CLS]"), sep = config.sep.value_or("[SEP]");
  parts.pad = config.pad.value_or("[PAD]");
  parts.mask = config.mask.value_or("[MASK]");
  for (const std::string& token : {*parts.pad, spec.unk_token, cls, sep, *parts.mask}) {
    parts.added.push_back({.id = id_of(token), .text = token});
  }
  for (const AddedToken& token : config.added) {
    const auto same = [&](const AddedToken& known) { return known.text == token.text; };
    if (std::none_of(parts.added.begin(), parts.added.end(), same)) parts.added.push_back(token);
  }
  parts.normalizer = std::make_unique<BertNormalizer>(
      BertNormalizer::Options{.handle_chinese_chars = config.tokenize_chinese_chars.value_or(true),
                              .strip_accents = config.strip_accents,
                              .lowercase = config.do_lower_case.value_or(true)});
  parts.pre_tokenizer = std::make_unique<BertPreTokenizer>();
  const TemplateItem first{.sequence = 0, .ids = {}}, second{.sequence = 1, .ids = {}, .type_id = 1};
  const TemplateItem opens{.ids = {id_of(cls)}}, ends{.ids = {id_of(sep)}};
  const TemplateItem ends_second{.ids = {id_of(sep)}, .type_id = 1};
  parts.post_processor.add(TemplateStep{{opens, first, ends}, {opens, first, ends, second, ends_second}});
  parts.decoder.add(wordpiece_decoder("##", true));
  parts.clean_up = config.clean_up;
  parts.bos = config.bos;
  parts.eos = config.eos;
  parts.model = std::make_unique<WordPieceModel>(std::move(spec), source);
  parts.save = std::move(save);
  return make_tokenizer(std::move(parts), source);
}

}  // namespace hone
