#include "stages/example_objective.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/log.h"
#include "data/examples.h"
#include "nn/layers.h"
#include "stages/model_kind.h"
#include "stages/packed_forward.h"
#include "stages/to_batch.h"

namespace hone {

Batch ExampleObjective::batch(std::span<const std::uint64_t> rows, std::uint64_t) const {
  return to_batch(pack(rows_.train, rows));
}

RedrawRow redrawn_rows(std::shared_ptr<const Dataset> data, const Tokenizer& tokenizer, const ModelInput& input,
                       LengthLimit limit, EncodeRow encode) {
  if (!data->alters()) return {};
  if (limit.overlong == Overlong::error) limit.overlong = Overlong::skip;  // no run ends because a row grew
  const auto encoder = std::make_shared<TextEncoder>(tokenizer, input, limit);
  return [=, encode = std::move(encode)](std::int64_t row, std::uint64_t epoch) {
    const auto number = static_cast<std::size_t>(row);
    std::vector<TokenExample> examples = encode(data->altered(number, epoch), row, *encoder);
    const bool has_place = std::ranges::none_of(examples, [](const TokenExample& one) { return one.ids.empty(); });
    return has_place ? examples : encode(data->rows(Split::train)[number], row, *encoder);
  };
}

void redraw(const RedrawRow& read, std::span<const VisitedRow> visited, std::size_t each,
            std::vector<TokenExample>& examples) {
  if (!read) return;
  for (const auto& [row, epoch] : visited) {
    const std::span known = std::span(examples).subspan(row * each, each);
    std::vector<TokenExample> drawn = read(known[0].row, epoch);
    HONE_ASSERT(drawn.size() == each);
    std::ranges::move(drawn, known.begin());
  }
}

Batch batch_of(std::span<const TokenExample> examples) {
  std::vector<std::uint64_t> rows(examples.size());
  std::iota(rows.begin(), rows.end(), 0);
  return to_batch(pack(examples, rows));
}

LearnableRows load_splits(const Dataset& data, std::int64_t held_out_rows,
                          const std::function<std::vector<TokenExample>(Split)>& encode) {
  LearnableRows rows{encode(Split::train), {}};
  if (!data.has(Split::held_out)) {
    log_warn("data.{}: no rows are held out, so nothing is evaluated on them", data.name());
    return rows;
  }
  rows.held_out = encode(Split::held_out);
  if (rows.held_out.size() > static_cast<std::size_t>(held_out_rows)) {
    rows.held_out.resize(static_cast<std::size_t>(held_out_rows));
  }
  return rows;
}

LearnableRows load_labelled(Run& run, const Dataset& data, const LabelSet& classes, std::int64_t held_out_rows) {
  const ModelInput input = input_of(*run.model);
  return load_splits(data, held_out_rows, [&](Split split) {
    EncodedRows rows = encode_labelled(data, split, *run.tokenizer, input, classes);
    if (split == Split::train) {
      log_info("data.{}: {} classes; {}", data.name(), classes.size(), rows.report.text());
    }
    return std::move(rows.examples);
  });
}

at::Tensor sequence_scores(Model& model, const Batch& batch, const DropoutDraw& dropout) {
  const at::Tensor hidden_TD = batch_hidden(model, batch, dropout.probability, dropout.key);
  return (*model.score)(model.score->pick(hidden_TD, batch.start_S1));
}

}  // namespace hone
