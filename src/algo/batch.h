#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace hone {

/// A copy of plain values as a one-dimensional tensor of the same element size.
template <class T>
at::Tensor stream_tensor(const std::vector<T>& values, at::ScalarType type) {
  at::Tensor out = at::empty({static_cast<std::int64_t>(values.size())}, type);
  if (!values.empty()) std::memcpy(out.data_ptr(), values.data(), values.size() * sizeof(T));
  return out;
}

/// Sequences packed end to end, without padding: what every stage trains on.
///
/// Shape suffixes: T tokens, S sequences (S1: S + 1 borders), G groups. Two sequences [5 6 7] and [8 9]:
///
///     ids_T      5 6 7 8 9        start_S1  0 3 5
///     position_T 0 1 2 0 1
///     target_T   6 7 – 9 –        what the row should predict: the next id; the last row of a sequence has none
///     mask_T     1 1 0 1 0        rows that the loss counts
///
/// Row t predicts target_T[t] (where tokens are classified: its own tag); the streams of reinforcement learning (log-probabilities, values, advantages) sit at the
/// row that predicts the token they belong to. Tensors a stage does not use stay undefined. All live on the CPU.
struct Batch {
  at::Tensor ids_T;       ///< int32
  at::Tensor position_T;  ///< int32, from 0 in each sequence
  at::Tensor start_S1;    ///< int32
  at::Tensor target_T;    ///< int64; 0 in the last row of a sequence
  at::Tensor mask_T;      ///< float32, 0 or 1
  at::Tensor weight_T;    ///< float32 factor of each row in the loss; undefined: 1
  at::Tensor type_T;      ///< int32 token types; undefined: all 0
  at::Tensor target_S;    ///< int64 class of each sequence
  at::Tensor target_SC;   ///< float32 values of each sequence to regress on, or 0 and 1 for each of C classes
  at::Tensor span_S2;     ///< int64: rows where the answer in each sequence begins and where it ends, inclusive

  at::Tensor old_logprob_T;      ///< float32, of the policy that wrote the tokens
  at::Tensor rollout_logprob_T;  ///< float32, of the distribution the sampler drew from
  at::Tensor version_T;          ///< int64, optimizer steps the policy had seen at sampling
  at::Tensor ref_logprob_T;      ///< float32
  at::Tensor value_T;            ///< float32, the critic's at collection
  at::Tensor advantage_T;        ///< float32
  at::Tensor return_T;           ///< float32
  at::Tensor critic_mask_T;      ///< rows whose value is learned; undefined: those of mask_T
  at::Tensor anchor_T;           ///< float32, what |logprob - old_logprob| costs at the row; undefined: nothing

  at::Tensor group_S;  ///< int64: sequences of the same prompt
  at::Tensor pair_S;   ///< int64: the sequence that sequence s is compared with (chosen and rejected)

  // Encoder-decoder models: the sources of the S sequences, packed like them (U tokens). Undefined: there are none.
  at::Tensor source_ids_U;       ///< int32
  at::Tensor source_position_U;  ///< int32, from 0 in each source
  at::Tensor source_start_S1;    ///< int32

  bool has_sources() const { return source_ids_U.defined(); }
  std::int64_t tokens() const { return ids_T.size(0); }
  std::int64_t sequences() const { return start_S1.size(0) - 1; }
};

}  // namespace hone
