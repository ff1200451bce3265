#include <algorithm>

#include "base/error.h"
#include "data/examples.h"

namespace hone {

namespace {

void require_shape(const Dataset& data, std::initializer_list<DataShape> accepted) {
  if (std::find(accepted.begin(), accepted.end(), data.shape()) != accepted.end()) return;
  std::string names;
  for (const DataShape shape : accepted) {
    names += (names.empty() ? "" : " or ") + std::string(data_shape_names[static_cast<std::size_t>(shape)]);
  }
  if (data.shape() == DataShape::messages) {
    fail(ErrorKind::data,
         "data.{}: messages need a chat template to become tokens, which training does not support; expected rows of "
         "{}",
         data.name(), names);
  }
  fail(ErrorKind::data, "data.{}: expected rows of {}, found {}; name the columns with `columns:`", data.name(), names,
       data.shape_name());
}

/// The rows added, or an error when all were empty.
EncodedRows finish(const Dataset& data, ExampleEncoder& encoder, std::string_view learned) {
  EncodedRows encoded;
  encoded.examples = encoder.take();
  encoded.report = encoder.report();
  if (encoded.examples.empty()) {
    fail(ErrorKind::data, "data.{}: all labels are masked: the {} of each of the {} rows is empty, nothing to learn",
         data.name(), learned, encoded.report.rows);
  }
  return encoded;
}

}  // namespace

EncodedRows encode_texts(const Dataset& data, Split split, const Tokenizer& tokenizer, std::int64_t context,
                         TextPacking packing) {
  require_shape(data, {DataShape::text, DataShape::text_label, DataShape::prompt_completion});
  ExampleEncoder encoder(tokenizer, context, packing);
  for (const DataRow& row : data.rows(split)) encoder.add_text(row.text + row.prompt + row.completion);
  return finish(data, encoder, "text");
}

EncodedRows encode_completions(const Dataset& data, Split split, const Tokenizer& tokenizer, const ModelInput& input) {
  require_shape(data, {DataShape::prompt_completion});
  ExampleEncoder encoder(tokenizer, input);
  const auto rows = data.rows(split);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    encoder.add_completion(rows[i].prompt, rows[i].completion, data.place(split, i));
  }
  return finish(data, encoder, "completion");
}

EncodedRows encode_labelled(const Dataset& data, Split split, const Tokenizer& tokenizer, const ModelInput& input,
                            const LabelSet& labels) {
  require_shape(data, {DataShape::text_label, DataShape::prompt_label});
  ExampleEncoder encoder(tokenizer, input);
  const auto rows = data.rows(split);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    encoder.add_labelled(rows[i].text + rows[i].prompt, labels.id(rows[i].label, data.place(split, i)));
  }
  return finish(data, encoder, "text");
}

EncodedRows encode_pairs(const Dataset& data, Split split, const Tokenizer& tokenizer, const ModelInput& input) {
  require_shape(data, {DataShape::preference});
  ExampleEncoder encoder(tokenizer, input);
  const auto rows = data.rows(split);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    encoder.add_pair(rows[i].prompt, rows[i].chosen, rows[i].rejected, data.place(split, i));
  }
  return finish(data, encoder, "pair");
}

}  // namespace hone
