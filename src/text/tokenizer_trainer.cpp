#include "text/tokenizer_trainer.h"

#include "base/error.h"
#include "base/utf8.h"
#include "io/file.h"
#include "text/bpe_trainer.h"
#include "text/tokenizer_json.h"
#include "text/tokenizer_json_sections.h"
#include "text/unigram_trainer.h"
#include "text/wordpiece_trainer.h"

#include <algorithm>

namespace hone {
namespace {

const std::string kSource = "the trained tokenizer";

Json object(std::initializer_list<Json::Member> members) { return Json(Json::Object(members)); }
Json list(std::initializer_list<Json> items) { return Json(Json::Array(items)); }

std::vector<std::string> special_tokens(TokenizerKind kind) {
  if (kind == TokenizerKind::wordpiece) return {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  return {"<pad>", "</s>", "<unk>", "<s>"};
}

Json added_tokens(const std::vector<std::string>& texts) {
  Json added = Json::array();
  for (std::size_t id = 0; id < texts.size(); ++id) {
    added.push_back(object({{"id", static_cast<std::int64_t>(id)},
                            {"content", texts[id]},
                            {"single_word", false},
                            {"lstrip", false},
                            {"rstrip", false},
                            {"normalized", false},
                            {"special", true}}));
  }
  return added;
}

/// [CLS] before a text, [SEP] behind each.
Json bert_template() {
  const auto special = [](const char* id, int type) {
    return object({{"SpecialToken", object({{"id", id}, {"type_id", type}})}});
  };
  const auto text = [](const char* id, int type) {
    return object({{"Sequence", object({{"id", id}, {"type_id", type}})}});
  };
  const auto token = [](const char* text, std::int64_t id) {
    return object({{"id", text}, {"ids", list({id})}, {"tokens", list({text})}});
  };
  return object(
      {{"type", "TemplateProcessing"},
       {"single", list({special("[CLS]", 0), text("A", 0), special("[SEP]", 0)})},
       {"pair", list({special("[CLS]", 0), text("A", 0), special("[SEP]", 0), text("B", 1), special("[SEP]", 1)})},
       {"special_tokens", object({{"[CLS]", token("[CLS]", 2)}, {"[SEP]", token("[SEP]", 3)}})}});
}

/// tokenizer.json but for the model's vocabulary.
Json wordpiece_description(bool lowercase) {
  return object({{"version", "1.0"},
                 {"truncation", nullptr},
                 {"padding", nullptr},
                 {"added_tokens", added_tokens(special_tokens(TokenizerKind::wordpiece))},
                 {"normalizer", object({{"type", "BertNormalizer"},
                                        {"clean_text", true},
                                        {"handle_chinese_chars", true},
                                        {"strip_accents", nullptr},
                                        {"lowercase", lowercase}})},
                 {"pre_tokenizer", object({{"type", "BertPreTokenizer"}})},
                 {"post_processor", bert_template()},
                 {"decoder", object({{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}})}});
}

Json unigram_description() {
  const Json spaces = object({{"type", "Replace"}, {"pattern", object({{"Regex", " {2,}"}})}, {"content", " "}});
  const Json metaspace =
      object({{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}, {"split", true}});
  return object(
      {{"version", "1.0"},
       {"truncation", nullptr},
       {"padding", nullptr},
       {"added_tokens", added_tokens(special_tokens(TokenizerKind::unigram))},
       {"normalizer", object({{"type", "Sequence"},
                              {"normalizers", list({object({{"type", "Nmt"}}), object({{"type", "NFKC"}}), spaces})}})},
       {"pre_tokenizer", metaspace},
       {"post_processor", nullptr},
       {"decoder", metaspace}});
}

Json named_tokens(TokenizerKind kind) {
  if (kind == TokenizerKind::wordpiece) {
    return object({{"tokenizer_class", "BertTokenizer"},
                   {"pad_token", "[PAD]"},
                   {"unk_token", "[UNK]"},
                   {"cls_token", "[CLS]"},
                   {"sep_token", "[SEP]"},
                   {"mask_token", "[MASK]"}});
  }
  return object({{"tokenizer_class", "PreTrainedTokenizerFast"},
                 {"bos_token", "<s>"},
                 {"eos_token", "</s>"},
                 {"unk_token", "<unk>"},
                 {"pad_token", "<pad>"}});
}

/// The tokenizer of a whole description; it saves the description.
std::unique_ptr<Tokenizer> described(const Json& description, TokenizerKind kind) {
  const Json config = named_tokens(kind);
  const auto save = [json = description.dump(2), config](const std::filesystem::path& directory) {
    write_file_atomic(directory / "tokenizer.json", json + "\n");
    write_file_atomic(directory / "tokenizer_config.json", config.dump(2) + "\n");
  };
  return tokenizer_from_json(description, read_tokenizer_config(config, kSource), kSource, save);
}

}  // namespace

TokenizerKind tokenizer_kind(std::string_view name) {
  if (name == "bpe") return TokenizerKind::bpe;
  if (name == "wordpiece") return TokenizerKind::wordpiece;
  if (name == "unigram") return TokenizerKind::unigram;
  fail(ErrorKind::usage, "a tokenizer of type \"{}\": expected bpe, wordpiece or unigram", name);
}

struct TokenizerTrainer::State {
  explicit State(TokenizerTrainerOptions given) : options(std::move(given)) {
    if (options.kind == TokenizerKind::bpe) {
      if (options.limit_alphabet) {
        fail(ErrorKind::config, "tokenizer training: limit_alphabet is set, but a bpe vocabulary has all 256 bytes");
      }
      BpeTrainerOptions bpe_options = default_bpe_options(options.vocab_size);
      bpe_options.min_frequency = options.min_frequency;
      bpe.emplace(std::move(bpe_options));
      return;
    }
    const bool is_unigram = options.kind == TokenizerKind::unigram;
    if (is_unigram && options.min_frequency != 1) {
      fail(ErrorKind::config, "tokenizer training: min_frequency is {}, but a unigram vocabulary has none",
           options.min_frequency);
    }
    if (is_unigram && options.limit_alphabet) {
      fail(ErrorKind::config,
           "tokenizer training: limit_alphabet is set, but a unigram vocabulary keeps all characters");
    }
    description = is_unigram ? unigram_description() : wordpiece_description(options.lowercase);
    const JsonField root(description, kSource);
    normalizer = read_normalizer(root["normalizer"]);
    pre_tokenizer = read_pre_tokenizer(root["pre_tokenizer"], true);
  }

  void count(std::string_view text) {
    SplitText split;
    split.text.assign(text, false);
    if (!normalizer->is_surely_normal(text)) normalizer->normalize(split.text);
    if (split.text.text().empty()) return;
    split.pieces = {{0, split.text.text().size()}};
    pre_tokenizer->split(split);
    for (const TextRange& piece : split.pieces) words.add(split.piece(piece));
  }

  TokenizerTrainerOptions options;
  std::optional<BpeTrainer> bpe;
  Json description;
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  WordCounts words;
};

TokenizerTrainer::TokenizerTrainer(TokenizerTrainerOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}
TokenizerTrainer::~TokenizerTrainer() = default;

void TokenizerTrainer::add(std::string_view text) {
  if (state_->bpe) return state_->bpe->add(text);
  if (const std::size_t bad = first_invalid_utf8(text); bad != std::string_view::npos) {
    fail(ErrorKind::data, "tokenizer training: byte {} of a text (0x{:02x}) is not valid UTF-8", bad + 1,
         static_cast<unsigned char>(text[bad]));
  }
  // Line by line, so that a long text needs little memory and no word spans two lines.
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    state_->count(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::unique_ptr<Tokenizer> TokenizerTrainer::train() {
  if (state_->bpe) return state_->bpe->train();
  const TokenizerTrainerOptions& options = state_->options;
  Json vocab;
  if (options.kind == TokenizerKind::wordpiece) {
    const std::vector<std::string> tokens =
        train_wordpiece(state_->words, {.vocab_size = options.vocab_size,
                                        .special_tokens = special_tokens(options.kind),
                                        .min_frequency = options.min_frequency,
                                        .limit_alphabet = options.limit_alphabet,
                                        .initial_alphabet = {}});
    vocab = Json::object();
    for (std::size_t id = 0; id < tokens.size(); ++id) {
      vocab.as_object().emplace_back(tokens[id], static_cast<std::int64_t>(id));
    }
    state_->description.set("model", object({{"type", "WordPiece"},
                                             {"unk_token", "[UNK]"},
                                             {"continuing_subword_prefix", "##"},
                                             {"max_input_chars_per_word", 100},
                                             {"vocab", vocab}}));
  } else {
    const UnigramSpec spec = train_unigram(
        state_->words,
        {.vocab_size = options.vocab_size, .special_tokens = special_tokens(options.kind), .initial_alphabet = {}});
    vocab = Json::array();
    for (std::size_t id = 0; id < spec.tokens.size(); ++id) vocab.push_back(list({spec.tokens[id], spec.scores[id]}));
    state_->description.set("model", object({{"type", "Unigram"},
                                             {"unk_id", static_cast<std::int64_t>(*spec.unknown)},
                                             {"vocab", vocab},
                                             {"byte_fallback", false}}));
  }
  return described(state_->description, options.kind);
}

}  // namespace hone
