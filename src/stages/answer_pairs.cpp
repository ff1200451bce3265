#include "stages/answer_pairs.h"

#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "data/examples.h"
#include "stages/model_kind.h"

namespace hone {

namespace {

std::vector<TokenExample> encode_answers(Run& run, const Dataset& data, Split split, std::size_t most) {
  const ModelInput input = input_of(*run.model);
  const std::span<const DataRow> rows = data.rows(split);
  std::vector<TokenExample> examples;
  for (std::size_t i = 0; i < std::min(rows.size(), most); ++i) {
    const DataRow& row = rows[i];
    for (const std::string* answer : {&row.chosen, &row.rejected}) {
      if (answer->empty()) {
        fail(ErrorKind::data, "{}: `{}` is empty: a pair compares two answers", data.place(split, i),
             answer == &row.chosen ? "chosen" : "rejected");
      }
      examples.push_back(document_example(*run.tokenizer, row.prompt + *answer, input));
      examples.back().row = static_cast<std::int64_t>(i);
    }
    if (examples.back().ids == examples[examples.size() - 2].ids) {
      fail(ErrorKind::data, "{}: `chosen` and `rejected` are the same within the context of {} tokens: a pair must tell "
           "which answer is better", data.place(split, i), input.context);
    }
  }
  return examples;
}

}  // namespace

LearnableRows load_answer_pairs(Run& run, const Dataset& data, std::int64_t held_out_rows) {
  LearnableRows rows;
  rows.train = encode_answers(run, data, Split::train, data.rows(Split::train).size());
  if (data.has(Split::held_out)) {
    rows.held_out = encode_answers(run, data, Split::held_out, static_cast<std::size_t>(held_out_rows));
  } else {
    log_warn("data.{}: no rows are held out, so nothing is evaluated on them", data.name());
  }
  log_info("data.{}: {} pairs to learn from", data.name(),
           format_count(static_cast<std::int64_t>(rows.train.size() / 2)));
  return rows;
}

}  // namespace hone
