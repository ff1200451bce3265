#include "rollout/pack.h"

#include <vector>

#include "base/error.h"

namespace hone {

namespace {

struct Streams {
  std::vector<std::int32_t> ids, positions, start{0};
  std::vector<std::int64_t> target, version, group;
  std::vector<float> mask, logprob, sampler_logprob;

  void add(const Episode& episode) {
    const std::size_t first = ids.size();
    const std::vector<std::int32_t> stream = episode.token_stream();
    ids.insert(ids.end(), stream.begin(), stream.end());
    for (std::size_t i = 0; i < stream.size(); ++i) {
      positions.push_back(static_cast<std::int32_t>(i));
      target.push_back(i + 1 < stream.size() ? stream[i + 1] : 0);
    }
    mask.resize(ids.size(), 0);
    logprob.resize(ids.size(), 0);
    sampler_logprob.resize(ids.size(), 0);
    version.resize(ids.size(), 0);
    const float counted = episode.score.status == ScoreStatus::error ? 0.0F : 1.0F;
    std::size_t row = first + episode.prompt_ids.size() - 1;  // predicts the first token of the first completion
    for (const Turn& turn : episode.turns) {
      const Completion& written = turn.completion;
      const std::vector<float>& drawn_with = written.sampler_logprob.empty() ? written.logprob : written.sampler_logprob;
      for (std::size_t i = 0; i < written.ids.size(); ++i, ++row) {
        mask[row] = counted;
        logprob[row] = written.logprob[i];
        sampler_logprob[row] = drawn_with[i];
        version[row] = written.version[i];
      }
      row += turn.reply_ids.size();
    }
    start.push_back(static_cast<std::int32_t>(ids.size()));
    group.push_back(episode.group);
  }
};

/// Rows of some of the packed sequences, and the borders between them.
struct PickedRows {
  at::Tensor row_T, start_S1;
};

PickedRows rows_of(const at::Tensor& start_S1, std::span<const std::int64_t> sequences) {
  const std::int32_t* start = start_S1.const_data_ptr<std::int32_t>();
  std::vector<std::int64_t> rows;
  std::vector<std::int32_t> new_start{0};
  for (const std::int64_t s : sequences) {
    HONE_ASSERT(s >= 0 && s + 1 < start_S1.size(0));
    for (std::int32_t row = start[s]; row < start[s + 1]; ++row) rows.push_back(row);
    new_start.push_back(static_cast<std::int32_t>(rows.size()));
  }
  return {stream_tensor(rows, at::kLong), stream_tensor(new_start, at::kInt)};
}

}  // namespace

Batch pack_episodes(std::span<const Episode> episodes) {
  Streams streams;
  for (const Episode& episode : episodes) streams.add(episode);
  Batch batch;
  batch.ids_T = stream_tensor(streams.ids, at::kInt);
  batch.position_T = stream_tensor(streams.positions, at::kInt);
  batch.start_S1 = stream_tensor(streams.start, at::kInt);
  batch.target_T = stream_tensor(streams.target, at::kLong);
  batch.mask_T = stream_tensor(streams.mask, at::kFloat);
  batch.old_logprob_T = stream_tensor(streams.logprob, at::kFloat);
  batch.rollout_logprob_T = stream_tensor(streams.sampler_logprob, at::kFloat);
  batch.version_T = stream_tensor(streams.version, at::kLong);
  batch.group_S = stream_tensor(streams.group, at::kLong);
  return batch;
}

Batch pick_sequences(const Batch& batch, std::span<const std::int64_t> sequences) {
  const PickedRows own = rows_of(batch.start_S1, sequences);
  const at::Tensor sequence_K = stream_tensor(std::vector<std::int64_t>(sequences.begin(), sequences.end()), at::kLong);
  const auto pick = [](const at::Tensor& from, const at::Tensor& index) {
    return from.defined() ? at::index_select(from, 0, index) : from;
  };
  Batch out;
  out.start_S1 = own.start_S1;
  for (at::Tensor Batch::*stream :
       {&Batch::ids_T, &Batch::position_T, &Batch::target_T, &Batch::mask_T, &Batch::weight_T, &Batch::old_logprob_T,
        &Batch::rollout_logprob_T, &Batch::version_T, &Batch::ref_logprob_T, &Batch::value_T, &Batch::advantage_T,
        &Batch::return_T, &Batch::critic_mask_T, &Batch::anchor_T, &Batch::type_T}) {
    out.*stream = pick(batch.*stream, own.row_T);
  }
  for (at::Tensor Batch::*stream : {&Batch::target_S, &Batch::target_SC, &Batch::group_S}) {
    out.*stream = pick(batch.*stream, sequence_K);
  }
  if (batch.span_S2.defined()) {
    const auto moved_K1 = [&](const at::Tensor& start_S1, const at::Tensor& of) {
      return start_S1.slice(0, 0, -1).to(at::kLong).index_select(0, of).unsqueeze(1);
    };
    const at::Tensor place_K2 = pick(batch.span_S2, sequence_K) - moved_K1(batch.start_S1, sequence_K);
    out.span_S2 = place_K2 + moved_K1(out.start_S1, at::arange(sequence_K.size(0), at::kLong));
  }
  if (batch.has_sources()) {
    const PickedRows source = rows_of(batch.source_start_S1, sequences);
    out.source_start_S1 = source.start_S1;
    out.source_ids_U = pick(batch.source_ids_U, source.row_T);
    out.source_position_U = pick(batch.source_position_U, source.row_T);
  }
  return out;
}

}  // namespace hone
