#include "text/bpe_tokenizer.h"

#include "base/error.h"
#include "text/bpe.h"
#include "text/normal_forms.h"
#include "text/pipeline.h"
#include "text/pre_tokenizers.h"
#include "text/token_decoders.h"
#include "text/tokenizer_json.h"

namespace hone {
namespace {

std::unique_ptr<PreTokenizer> pre_tokenizer(const BpeSpec& spec, const std::string& source) {
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (const std::string& pattern : spec.splits) {
    steps.push_back(
        std::make_unique<RegexPreTokenizer>(Splitter(pattern, source), SplitBehavior::isolated, false));
  }
  steps.push_back(std::make_unique<ByteLevelPreTokenizer>(ByteLevelPreTokenizer::Options{
      .add_prefix_space = spec.add_prefix_space, .use_regex = spec.byte_level_split, .spells = false}));
  return std::make_unique<SequencePreTokenizer>(std::move(steps));
}

TemplateStep wrapping(const BpeSpec& spec) {
  TemplateStep step;
  for (const int sequence : {0, 1}) {
    const std::vector<TemplateItem> items = {{.ids = spec.prefix, .type_id = sequence},
                                             {.sequence = sequence, .ids = {}, .type_id = sequence},
                                             {.ids = spec.suffix, .type_id = sequence}};
    if (sequence == 0) step.single = items;
    step.pair.insert(step.pair.end(), items.begin(), items.end());
  }
  return step;
}

}  // namespace

std::unique_ptr<Tokenizer> make_bpe_tokenizer(BpeSpec spec, const std::string& source,
                                              std::function<void(const std::filesystem::path&)> save) {
  for (const AddedToken& token : spec.added) {
    if (token.id < 0 || token.text.empty()) {
      fail(ErrorKind::data, "{}: an added token has the id {} and the text \"{}\"", source, token.id, token.text);
    }
  }
  TokenizerParts parts;
  parts.added = spec.added;
  if (spec.nfc) parts.normalizer = std::make_unique<NormalFormNormalizer>(NormalForm::nfc);
  parts.pre_tokenizer = pre_tokenizer(spec, source);
  parts.model = std::make_unique<BpeModel>(spec, source);
  parts.raw_bytes = true;
  if (!spec.prefix.empty() || !spec.suffix.empty()) parts.post_processor.add(wrapping(spec));
  parts.decoder.add(byte_level_decoder());
  parts.bos = spec.bos;
  parts.eos = spec.eos;
  parts.pad = spec.pad;
  parts.save = std::move(save);
  if (!parts.save) parts.save = [kept = std::make_shared<BpeSpec>(std::move(spec))](const std::filesystem::path& directory) {
    write_tokenizer_json(*kept, directory);
  };
  return make_tokenizer(std::move(parts), source);
}

}  // namespace hone
