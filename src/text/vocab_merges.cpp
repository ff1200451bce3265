#include "text/vocab_merges.h"

#include "base/error.h"
#include "io/file.h"
#include "text/bpe_tokenizer.h"
#include "text/split_patterns.h"
#include "text/tokenizer_json_model.h"

namespace hone {
namespace {

namespace fs = std::filesystem;

void read_files(const fs::path& vocab, const fs::path& merges, BpeSpec& spec) {
  const Json json = Json::parse(read_file(vocab), vocab.string());
  read_vocab(JsonField(json, vocab.string()), spec);
  read_merge_lines(read_file(merges), merges.string(), spec);
}

}  // namespace

BpeSpec read_vocab_merges(const fs::path& vocab, const fs::path& merges) {
  BpeSpec spec;
  read_files(vocab, merges, spec);
  return spec;
}

std::unique_ptr<Tokenizer> load_vocab_merges(const fs::path& directory, const TokenizerConfig& config,
                                             std::function<void(const fs::path&)> save) {
  const std::string& name = config.tokenizer_class;
  if (name.empty()) {
    fail(ErrorKind::data, "{}: vocab.json and merges.txt need `tokenizer_class` here to tell how text is split",
         config.source);
  }
  BpeSpec spec;
  spec.added = config.added;
  if (name == "Qwen2Tokenizer") {
    spec.splits = {std::string(kQwen2Split)};
    spec.byte_level_split = false;
    spec.nfc = true;
  } else if (name == "GPT2Tokenizer") {
    spec.add_prefix_space = config.add_prefix_space.value_or(false);
  } else {
    fail(ErrorKind::data, "{}: tokenizer_class: \"{}\" without a tokenizer.json is not supported", config.source, name);
  }
  read_files(directory / "vocab.json", directory / "merges.txt", spec);
  spec.bos = config.bos;
  spec.eos = config.eos;
  spec.pad = config.pad;
  return make_bpe_tokenizer(std::move(spec), (directory / "vocab.json").string(), std::move(save));
}

}  // namespace hone
