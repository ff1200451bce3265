#include "data/class_examples.h"

#include <cstdlib>

#include "base/error.h"

namespace hone {

namespace {

bool ends_with(const Dataset& data, std::string_view column) { return data.shape_name().ends_with(column); }

void set_target(TokenExample& example, const DataRow& row, const ClassTargets& targets, std::string_view where,
                bool has_value) {
  if (targets.type == ProblemType::single_label) {
    example.label = targets.classes.id(row.label, where);
  } else if (targets.type == ProblemType::regression) {
    example.values = {static_cast<float>(has_value ? row.value : number_of(row.label, where))};
  } else {
    example.values.assign(static_cast<std::size_t>(targets.classes.size()), 0);
    for (const std::string& name : row.labels) {
      example.values[static_cast<std::size_t>(targets.classes.id(name, where))] = 1;
    }
  }
}

[[noreturn]] void fail_without_rows(const Dataset& data, const TextEncoder& encoder, std::string_view what) {
  fail(ErrorKind::data, "data.{}: all labels are masked: {} ({})", data.name(), what, encoder.report().text());
}

/// Ids of the words' text with the tag of each word at its first id, -1 elsewhere.
struct TaggedIds {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> tags;
};

TaggedIds tag_words(const Tokenizer& tokenizer, const DataRow& row, const LabelSet& tags, std::string_view where) {
  std::string text;
  std::vector<std::size_t> ends;
  for (const std::string& word : row.tokens) {
    text += (text.empty() ? "" : " ") + word;
    ends.push_back(text.size());
  }
  const EncodedText encoded = tokenizer.encode_with_offsets({text, std::nullopt}, AddSpecial::no);
  TaggedIds tagged{encoded.ids, std::vector<std::int64_t>(encoded.ids.size(), -1)};
  std::size_t word = 0, next = 0;  // the word that a token ends in; the first one that may still get its tag
  for (std::size_t i = 0; i < encoded.ids.size(); ++i) {
    if (encoded.offsets[i].end == encoded.offsets[i].begin) continue;
    while (ends[word] < encoded.offsets[i].end) ++word;
    if (word < next) continue;
    tagged.tags[i] = tags.id(row.tags[word], where);
    next = word + 1;
  }
  return tagged;
}

}  // namespace

ProblemType problem_type_of(const Dataset& data) {
  if (ends_with(data, "+labels")) return ProblemType::multi_label;
  if (ends_with(data, "+value")) return ProblemType::regression;
  require_problem_type(data, ProblemType::single_label);
  const auto rows = data.rows(Split::train);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].label.find('.') == std::string::npos) continue;
    char* end = nullptr;
    std::strtod(rows[i].label.c_str(), &end);
    if (*end != '\0') continue;
    fail(ErrorKind::data,
         "{}: the label '{}' is a number; set problem_type to regression, or to single_label_classification when such "
         "numbers are names",
         data.place(Split::train, i), rows[i].label);
  }
  return ProblemType::single_label;
}

void require_problem_type(const Dataset& data, ProblemType type) {
  const bool fits = has_labels(data.shape()) &&
                    (type == ProblemType::multi_label    ? ends_with(data, "+labels")
                     : type == ProblemType::single_label ? ends_with(data, "+label")
                                                         : ends_with(data, "+label") || ends_with(data, "+value"));
  if (fits) return;
  constexpr std::array<std::string_view, 3> expected = {"a column `label`", "a column `labels`",
                                                        "a column `value` or `label`"};
  fail(ErrorKind::data, "data.{}: rows of {} are not for {}: expected a text and {}; name the columns with `columns:`",
       data.name(), data.shape_name(), problem_type_names[static_cast<std::size_t>(type)],
       expected[static_cast<std::size_t>(type)]);
}

LabelSet classes_of(const Dataset& data) {
  LabelSet classes = LabelSet::of(data.labels(Split::train));
  const std::int64_t least = ends_with(data, "+labels") ? 1 : 2;
  if (classes.size() < least) {
    fail(ErrorKind::data, "data.{}: expected at least {} to tell apart, found {}: {}", data.name(),
         least == 1 ? "one class" : "two classes", classes.size(), classes.size() == 1 ? classes.name(0) : "no labels");
  }
  return classes;
}

TokenExample encode_classified(const Dataset& data, Split split, const DataRow& row, std::int64_t number,
                               TextEncoder& encoder, const ClassTargets& targets) {
  const std::string where = data.place(split, static_cast<std::size_t>(number));
  const bool pairs = data.shape_name().find("text_pair") != std::string_view::npos;
  TokenExample example =
      data.shape() == DataShape::messages_label
          ? encoder.encode(conversation_of(row), where, number)
          : encoder.encode(row.text + row.prompt,
                           pairs ? std::optional<std::string_view>(row.text_pair) : std::nullopt, where, number);
  set_target(example, row, targets, where, ends_with(data, "+value"));
  return example;
}

std::vector<TokenExample> encode_classified(const Dataset& data, Split split, TextEncoder& encoder,
                                            const ClassTargets& targets) {
  const auto rows = data.rows(split);
  std::vector<TokenExample> examples;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    TokenExample example = encode_classified(data, split, rows[i], static_cast<std::int64_t>(i), encoder, targets);
    if (!example.ids.empty()) examples.push_back(std::move(example));
  }
  if (examples.empty()) fail_without_rows(data, encoder, "no row has a token");
  return examples;
}

std::vector<TokenExample> encode_tagged(const Dataset& data, Split split, const Tokenizer& tokenizer,
                                        TextEncoder& encoder, const LabelSet& tags) {
  if (data.shape() != DataShape::tokens_tags) {
    fail(ErrorKind::data, "data.{}: expected rows of tokens+tags, found {}; name the columns with `columns:`",
         data.name(), data.shape_name());
  }
  const auto rows = data.rows(split);
  std::vector<TokenExample> examples;
  std::int64_t tagged = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string where = data.place(split, i);
    const TaggedIds words = tag_words(tokenizer, rows[i], tags, where);
    std::optional<TokenExample> example = encoder.wrap(words.ids, words.tags, where, static_cast<std::int64_t>(i));
    if (!example) continue;
    tagged += example->target_tokens();
    examples.push_back(std::move(*example));
  }
  if (tagged == 0) fail_without_rows(data, encoder, "no token has a tag");
  return examples;
}

}  // namespace hone
