#include "stages/example_objective.h"

#include <numeric>

#include "nn/layers.h"
#include "stages/packed_forward.h"
#include "stages/to_batch.h"

namespace hone {

Batch ExampleObjective::batch(std::span<const std::uint64_t> rows) const { return to_batch(pack(rows_.train, rows)); }

Batch batch_of(std::span<const TokenExample> examples) {
  std::vector<std::uint64_t> rows(examples.size());
  std::iota(rows.begin(), rows.end(), 0);
  return to_batch(pack(examples, rows));
}

at::Tensor sequence_scores(Model& model, const Batch& batch, const DropoutDraw& dropout) {
  const at::Tensor hidden_TD = batch_hidden(model, batch, dropout.probability, dropout.key);
  return (*model.score)(take_rows(hidden_TD, last_rows(batch)));
}

}  // namespace hone
