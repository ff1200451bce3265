#include "data/judged_answers.h"

#include "base/error.h"

namespace hone {

namespace {

void require_answers(const Dataset& data) {
  if (data.shape() == DataShape::prompt_completion_label || data.shape() == DataShape::messages_label) return;
  fail(ErrorKind::data, "data.{}: expected rows of {} or {}, found {}; name the columns with `columns:`", data.name(),
       name_of(DataShape::prompt_completion_label), name_of(DataShape::messages_label), name_of(data.shape()));
}

}  // namespace

EncodedRows encode_judged(const Dataset& data, Split split, const Tokenizer& tokenizer, const ModelInput& input,
                          const std::string& good, std::optional<Overlong> overlong) {
  require_answers(data);
  ExampleEncoder encoder(tokenizer, input, {.learned = Learned::last_turn, .overlong = overlong});
  const std::span<const DataRow> rows = data.rows(split);
  EncodedRows encoded;
  std::string bad;
  std::int64_t skipped = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const DataRow& row = rows[i];
    const std::string where = data.place(split, i);
    if (row.label != good && bad.empty()) bad = row.label;
    if (row.label != good && row.label != bad) {
      fail(ErrorKind::data, "{}: label '{}': expected '{}' for a good answer or '{}' for a bad one", where, row.label,
           good, bad);
    }
    if (data.shape() == DataShape::messages_label) {
      encoder.add_conversation(conversation_of(row), where);
    } else {
      encoder.add_completion(row.prompt, row.completion, where);
    }
    std::vector<TokenExample> added = encoder.take();
    if (encoder.report().skipped_rows > skipped) {
      ++skipped;
      continue;
    }
    if (added.empty()) fail(ErrorKind::data, "{}: the answer is empty: there is nothing to learn from it", where);
    added.front().label = row.label == good ? 1 : 0;
    added.front().row = static_cast<std::int64_t>(encoded.examples.size());
    encoded.examples.push_back(std::move(added.front()));
  }
  encoded.report = encoder.report();
  return encoded;
}

}  // namespace hone
