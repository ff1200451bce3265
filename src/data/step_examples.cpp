#include "data/step_examples.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace hone {

StepEncoder::StepEncoder(const Tokenizer& tokenizer, std::string separator)
    : tokenizer_(tokenizer), separator_(tokenizer.encode(separator)) {
  if (separator_.empty()) {
    fail(ErrorKind::config, "step_separator: the tokenizer makes no token of '{}', and a token stands for each step",
         separator);
  }
}

TokenExample StepEncoder::encode(std::string_view prompt, std::span<const std::string> steps,
                                 std::span<const std::int64_t> labels) const {
  HONE_ASSERT(steps.size() == labels.size());
  TokenExample example{.ids = tokenizer_.encode(prompt, AddSpecial::yes)};
  if (example.ids.empty() && tokenizer_.bos_id()) example.ids.push_back(*tokenizer_.bos_id());
  example.tags.assign(example.ids.size(), -1);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::vector<std::int32_t> step = tokenizer_.encode(steps[i]);
    example.ids.insert(example.ids.end(), step.begin(), step.end());
    example.ids.insert(example.ids.end(), separator_.begin(), separator_.end());
    example.tags.resize(example.ids.size(), -1);
    example.tags.back() = labels[i];
  }
  return example;
}

EncodedRows encode_steps(const Dataset& data, Split split, const StepEncoder& encoder, std::int64_t context,
                         const LabelSet& labels) {
  EncodedRows encoded;
  const std::span<const DataRow> rows = data.rows(split);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string where = data.place(split, i);
    std::vector<std::int64_t> classes;
    for (std::size_t step = 0; step < rows[i].steps.size(); ++step) {
      if (rows[i].steps[step].empty()) fail(ErrorKind::data, "{}: step {} is empty", where, step + 1);
      classes.push_back(labels.id(rows[i].labels[step], where));
    }
    TokenExample example = encoder.encode(rows[i].prompt, rows[i].steps, classes);
    example.row = static_cast<std::int64_t>(i);
    ++encoded.report.rows;
    if (const auto length = static_cast<std::int64_t>(example.ids.size()); length > context) {
      ++encoded.report.cut_rows;
      encoded.report.cut_tokens += length - context;
      example.ids.resize(static_cast<std::size_t>(context));
      example.tags.resize(static_cast<std::size_t>(context));
    }
    if (example.target_tokens() == 0) {
      ++encoded.report.empty_rows;
      continue;
    }
    encoded.report.tokens += example.tokens();
    encoded.report.target_tokens += example.target_tokens();
    encoded.examples.push_back(std::move(example));
  }
  if (encoded.examples.empty()) {
    fail(ErrorKind::data, "data.{}: all labels are masked: no step ends within the context of {} tokens ({})", data.name(),
         context, encoded.report.text());
  }
  return encoded;
}

}  // namespace hone
