#include "base/error.h"
#include "text/code_points.h"
#include "text/pre_tokenizers.h"
#include "text/tokenizer_json_sections.h"

namespace hone {
namespace {

SplitBehavior read_behavior(const JsonField& field, SplitBehavior absent) {
  if (field.is_null()) return absent;
  const std::string& name = field.string();
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  field.refuse("\"" + name + "\"");
}

std::unique_ptr<PreTokenizer> read_split(const JsonField& field) {
  field.only({"type", "pattern", "behavior", "invert"});
  const JsonPattern pattern = read_pattern(field["pattern"]);
  if (field["behavior"].is_null()) fail(ErrorKind::data, "{}: behavior is missing", field.where());
  const SplitBehavior behavior = read_behavior(field["behavior"], SplitBehavior::isolated);
  const bool invert = field.flag("invert");
  if (!pattern.is_regex) return std::make_unique<StringPreTokenizer>(pattern.text, behavior, invert);
  return std::make_unique<RegexPreTokenizer>(Splitter(pattern.text, field["pattern"].where()), behavior, invert);
}

std::unique_ptr<PreTokenizer> read_metaspace(const JsonField& field) {
  const JsonField scheme = field["prepend_scheme"];
  PrependScheme prepend = PrependScheme::always;
  if (!scheme.is_null()) {
    const std::string& name = scheme.string();
    if (name != "always" && name != "first" && name != "never") scheme.refuse("\"" + name + "\"");
    prepend = name == "always" ? PrependScheme::always : name == "first" ? PrependScheme::first : PrependScheme::never;
  }
  if (!field.flag("add_prefix_space", true)) {
    if (!scheme.is_null() && prepend != PrependScheme::never) {
      fail(ErrorKind::data, "{}: add_prefix_space is false, but prepend_scheme is \"{}\"", field.where(),
           scheme.string());
    }
    prepend = PrependScheme::never;
  }
  return std::make_unique<MetaspacePreTokenizer>(read_character(field["replacement"]), prepend,
                                                 field.flag("split", true));
}

std::unique_ptr<PreTokenizer> read_fixed_length(const JsonField& field) {
  const std::int64_t length = field["length"].is_null() ? 5 : field["length"].integer();
  if (length < 1) field["length"].refuse(std::to_string(length));
  return std::make_unique<FixedLengthPreTokenizer>(static_cast<std::size_t>(length));
}

std::unique_ptr<PreTokenizer> read_sequence(const JsonField& field, bool spells) {
  const JsonField list = field["pretokenizers"];
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (std::size_t i = 0; i < list.array().size(); ++i) steps.push_back(read_pre_tokenizer(list.element(i), spells));
  std::erase(steps, nullptr);
  return std::make_unique<SequencePreTokenizer>(std::move(steps));
}

/// How many ByteLevel steps there are.
int byte_level_steps(const JsonField& field) {
  if (field.is_null()) return 0;
  if (field.type() != "Sequence") return field.type() == "ByteLevel" ? 1 : 0;
  int count = 0;
  const JsonField list = field["pretokenizers"];
  for (std::size_t i = 0; i < list.array().size(); ++i) count += byte_level_steps(list.element(i));
  return count;
}

bool last_is_byte_level(const JsonField& field) {
  if (field.is_null() || field.type() != "Sequence") return !field.is_null() && field.type() == "ByteLevel";
  const JsonField list = field["pretokenizers"];
  return !list.array().empty() && last_is_byte_level(list.element(list.array().size() - 1));
}

std::unique_ptr<PreTokenizer> points(SplitPoint point, SplitBehavior behavior, char32_t delimiter = 0) {
  return std::make_unique<PointPreTokenizer>(point, behavior, delimiter);
}

}  // namespace

bool ends_in_byte_level(const JsonField& field) { return last_is_byte_level(field) && byte_level_steps(field) == 1; }

std::unique_ptr<PreTokenizer> read_pre_tokenizer(const JsonField& field, bool spells) {
  if (field.is_null()) return nullptr;
  const std::string type = field.type();
  if (type == "Sequence") return read_sequence(field, spells);
  if (type == "Split") return read_split(field);
  if (type == "Metaspace") return read_metaspace(field);
  if (type == "FixedLength") return read_fixed_length(field);
  if (type == "BertPreTokenizer") return std::make_unique<BertPreTokenizer>();
  if (type == "Whitespace") return std::make_unique<WordPreTokenizer>();
  if (type == "UnicodeScripts") return std::make_unique<ScriptPreTokenizer>();
  if (type == "WhitespaceSplit") return points(SplitPoint::white_space, SplitBehavior::removed);
  if (type == "Digits") {
    return points(SplitPoint::numeric,
                  field.flag("individual_digits") ? SplitBehavior::isolated : SplitBehavior::contiguous);
  }
  if (type == "Punctuation") {
    return points(SplitPoint::old_punctuation, read_behavior(field["behavior"], SplitBehavior::isolated));
  }
  if (type == "CharDelimiterSplit") {
    const std::string& delimiter = read_character(field["delimiter"]);
    std::size_t at = 0;
    return points(SplitPoint::delimiter, SplitBehavior::removed, next_code_point(delimiter, at));
  }
  if (type == "ByteLevel") {
    return std::make_unique<ByteLevelPreTokenizer>(
        ByteLevelPreTokenizer::Options{.add_prefix_space = field.flag("add_prefix_space", true),
                                       .use_regex = field.flag("use_regex", true),
                                       .spells = spells});
  }
  field.refuse(fmt::format("type \"{}\"", type));
}

}  // namespace hone
