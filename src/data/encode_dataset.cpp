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
  fail(ErrorKind::data, "data.{}: expected rows of {}, found {}; name the columns with `columns:`", data.name(), names,
       data.shape_name());
}

/// The rows added, or an error when all were empty.
EncodedRows finish(const Dataset& data, ExampleEncoder& encoder, std::string_view learned) {
  EncodedRows encoded;
  encoded.examples = encoder.take();
  encoded.report = encoder.report();
  if (encoded.examples.empty() && encoded.report.skipped_rows > 0) {
    fail(ErrorKind::data, "data.{}: nothing to learn: {} of {} rows are longer than the context, the others empty",
         data.name(), encoded.report.skipped_rows, encoded.report.rows);
  }
  if (encoded.examples.empty()) {
    fail(ErrorKind::data, "data.{}: all labels are masked: the {} of each of the {} rows is empty, nothing to learn",
         data.name(), learned, encoded.report.rows);
  }
  return encoded;
}

}  // namespace

Conversation conversation_of(const DataRow& row) { return {to_json(row.messages), row.tools}; }

EncodedRows encode_texts(const Dataset& data, Split split, const Tokenizer& tokenizer, std::int64_t context,
                         const ExampleRules& rules) {
  require_shape(data, {DataShape::text, DataShape::text_label, DataShape::prompt_completion, DataShape::messages});
  HONE_ASSERT(rules.learned == Learned::everything);
  ExampleEncoder encoder(tokenizer, context, rules);
  const auto rows = data.rows(split);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (data.shape() == DataShape::messages) {
      encoder.add_conversation(conversation_of(rows[i]), data.place(split, i));
    } else {
      encoder.add_text(rows[i].text + rows[i].prompt + rows[i].completion, data.place(split, i));
    }
  }
  return finish(data, encoder, "text");
}

EncodedRows encode_completions(const Dataset& data, Split split, const Tokenizer& tokenizer, const ModelInput& input,
                               const ExampleRules& rules) {
  require_shape(data, {DataShape::prompt_completion, DataShape::messages});
  ExampleEncoder encoder(tokenizer, input, rules);
  const auto rows = data.rows(split);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (data.shape() == DataShape::messages) {
      encoder.add_conversation(conversation_of(rows[i]), data.place(split, i));
    } else {
      encoder.add_completion(rows[i].prompt, rows[i].completion, data.place(split, i));
    }
  }
  return finish(data, encoder, data.shape() == DataShape::messages ? "answer" : "completion");
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

EncodedRows encode_pairs(const Dataset& data, Split split, const Tokenizer& tokenizer, const ModelInput& input,
                         const ExampleRules& rules) {
  require_shape(data, {DataShape::preference, DataShape::messages_preference});
  ExampleEncoder encoder(tokenizer, input, rules);
  const auto rows = data.rows(split);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const DataRow& row = rows[i];
    if (data.shape() == DataShape::messages_preference) {
      encoder.add_pair(conversation_of(row), row.chosen, row.rejected, data.place(split, i));
    } else {
      encoder.add_pair(row.prompt, row.chosen, row.rejected, data.place(split, i));
    }
  }
  return finish(data, encoder, "pair");
}

}  // namespace hone
