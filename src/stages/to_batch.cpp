#include "stages/to_batch.h"

namespace hone {

Batch to_batch(const PackedRows& rows) {
  Batch batch;
  batch.ids_T = stream_tensor(rows.ids_T, at::kInt);
  batch.position_T = stream_tensor(rows.position_T, at::kInt);
  batch.start_S1 = stream_tensor(rows.start_S1, at::kInt);
  batch.target_T = stream_tensor(rows.target_T, at::kLong);
  batch.mask_T = stream_tensor(rows.mask_T, at::kFloat);
  batch.group_S = stream_tensor(rows.group_S, at::kLong);
  if (!rows.target_S.empty()) batch.target_S = stream_tensor(rows.target_S, at::kLong);
  if (!rows.target_SC.empty()) {
    batch.target_SC = stream_tensor(rows.target_SC, at::kFloat).view({rows.sequences(), -1});
  }
  if (!rows.span_S2.empty()) batch.span_S2 = stream_tensor(rows.span_S2, at::kInt).view({-1, 2}).to(at::kLong);
  if (!rows.type_T.empty()) batch.type_T = stream_tensor(rows.type_T, at::kInt);
  if (!rows.pair_S.empty()) batch.pair_S = stream_tensor(rows.pair_S, at::kLong);
  if (!rows.source_start_S1.empty()) {
    batch.source_ids_U = stream_tensor(rows.source_ids_U, at::kInt);
    batch.source_position_U = stream_tensor(rows.source_position_U, at::kInt);
    batch.source_start_S1 = stream_tensor(rows.source_start_S1, at::kInt);
  }
  return batch;
}

}  // namespace hone
