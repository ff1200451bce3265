#include "stages/answer_pairs.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "data/examples.h"
#include "stages/model_kind.h"

namespace hone {

namespace {

struct EncodedAnswers {
  std::vector<TokenExample> examples;
  std::int64_t cut = 0;  ///< answers that lost tokens, because they were longer than the context
};

EncodedAnswers encode_answers(Run& run, const Dataset& data, Split split, std::size_t most) {
  const ModelInput input = input_of(*run.model);
  const std::span<const DataRow> rows = data.rows(split);
  EncodedAnswers encoded;
  std::vector<TokenExample>& examples = encoded.examples;
  for (std::size_t i = 0; i < std::min(rows.size(), most); ++i) {
    const DataRow& row = rows[i];
    for (const std::string* answer : {&row.chosen, &row.rejected}) {
      if (answer->empty()) {
        fail(ErrorKind::data, "{}: `{}` is empty: a pair compares two answers", data.place(split, i),
             answer == &row.chosen ? "chosen" : "rejected");
      }
      const std::string text = row.prompt + *answer;
      examples.push_back(document_example(*run.tokenizer, text, input));
      examples.back().row = static_cast<std::int64_t>(i);
      const auto context = static_cast<std::size_t>(input.context);
      if (examples.back().ids.size() == context &&
          encode_document(*run.tokenizer, text, input.context + 1).size() > context) {
        ++encoded.cut;
      }
    }
    if (examples.back().ids == examples[examples.size() - 2].ids) {
      fail(ErrorKind::data, "{}: `chosen` and `rejected` are the same within the context of {} tokens: a pair must tell "
           "which answer is better", data.place(split, i), input.context);
    }
  }
  return encoded;
}

}  // namespace

LearnableRows load_answer_pairs(Run& run, const Dataset& data, std::int64_t held_out_rows) {
  LearnableRows rows;
  EncodedAnswers train = encode_answers(run, data, Split::train, data.rows(Split::train).size());
  rows.train = std::move(train.examples);
  if (data.has(Split::held_out)) {
    rows.held_out = encode_answers(run, data, Split::held_out, static_cast<std::size_t>(held_out_rows)).examples;
  } else {
    log_warn("data.{}: no rows are held out, so nothing is evaluated on them", data.name());
  }
  log_info("data.{}: {} pairs to learn from{}", data.name(),
           format_count(static_cast<std::int64_t>(rows.train.size() / 2)),
           train.cut == 0 ? "" : fmt::format("; answers cut to the context: {}", format_count(train.cut)));
  return rows;
}

}  // namespace hone
