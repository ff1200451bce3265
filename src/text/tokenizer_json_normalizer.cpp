#include "base/error.h"
#include "text/base64.h"
#include "text/bert_normalizer.h"
#include "text/normal_forms.h"
#include "text/normalizers.h"
#include "text/precompiled_map.h"
#include "text/replace_normalizer.h"
#include "text/tokenizer_json_sections.h"

namespace hone {
namespace {

std::unique_ptr<Normalizer> read_bert(const JsonField& field) {
  BertNormalizer::Options options;
  options.clean_text = field.flag("clean_text", true);
  options.handle_chinese_chars = field.flag("handle_chinese_chars", true);
  if (!field["strip_accents"].is_null()) options.strip_accents = field.flag("strip_accents");
  options.lowercase = field.flag("lowercase", true);
  return std::make_unique<BertNormalizer>(options);
}

std::unique_ptr<Normalizer> read_replace(const JsonField& field) {
  const JsonPattern pattern = read_pattern(field["pattern"]);
  const std::string& content = field["content"].string();
  if (!pattern.is_regex) return std::make_unique<ReplaceNormalizer>(pattern.text, content);
  return std::make_unique<ReplaceNormalizer>(Splitter(pattern.text, field.where()), content);
}

std::unique_ptr<Normalizer> read_precompiled(const JsonField& field) {
  const JsonField map = field["precompiled_charsmap"];
  if (map.is_null() || map.string().empty()) return std::make_unique<SequenceNormalizer>(std::vector<std::unique_ptr<Normalizer>>());
  const auto bytes = from_base64(map.string());
  if (!bytes) fail(ErrorKind::data, "{}: expected bytes in base64", map.where());
  return std::make_unique<PrecompiledNormalizer>(*bytes, map.where());
}

std::unique_ptr<Normalizer> read_sequence(const JsonField& field) {
  const JsonField steps = field["normalizers"];
  std::vector<std::unique_ptr<Normalizer>> read;
  for (std::size_t i = 0; i < steps.array().size(); ++i) read.push_back(read_normalizer(steps.element(i)));
  std::erase(read, nullptr);
  return std::make_unique<SequenceNormalizer>(std::move(read));
}

}  // namespace

std::unique_ptr<Normalizer> read_normalizer(const JsonField& field) {
  if (field.is_null()) return nullptr;
  const std::string type = field.type();
  if (type == "Sequence") return read_sequence(field);
  if (type == "BertNormalizer") return read_bert(field);
  if (type == "Replace") return read_replace(field);
  if (type == "Precompiled") return read_precompiled(field);
  if (type == "NFC") return std::make_unique<NormalFormNormalizer>(NormalForm::nfc);
  if (type == "NFD") return std::make_unique<NormalFormNormalizer>(NormalForm::nfd);
  if (type == "NFKC") return std::make_unique<NormalFormNormalizer>(NormalForm::nfkc);
  if (type == "NFKD") return std::make_unique<NormalFormNormalizer>(NormalForm::nfkd);
  if (type == "Lowercase") return std::make_unique<LowercaseNormalizer>();
  if (type == "StripAccents") return std::make_unique<StripAccentsNormalizer>();
  if (type == "Nmt") return std::make_unique<NmtNormalizer>();
  if (type == "ByteLevel") return std::make_unique<ByteLevelNormalizer>();
  if (type == "Prepend") return std::make_unique<PrependNormalizer>(field["prepend"].string());
  if (type == "Strip") {
    return std::make_unique<StripNormalizer>(field.flag("strip_left", true), field.flag("strip_right", true));
  }
  field.refuse(fmt::format("type \"{}\"", type));
}

}  // namespace hone
