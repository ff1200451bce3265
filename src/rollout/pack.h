#pragma once

#include <span>

#include "algo/batch.h"
#include "flow/types.h"

namespace hone {

/// Packs episodes end to end: ids, positions, borders, targets, the mask of what the policy wrote, versions and groups.
/// old_logprob_T is the training definition kept at sampling (training computes the same bits, so nothing is recomputed);
/// rollout_logprob_T is what the sampler drew with, which differs only where it truncates. Token in, token out: nothing
/// is decoded and encoded again.
/// Episodes whose score is an error keep their rows but are masked.
Batch pack_episodes(std::span<const Episode> episodes);

/// The same sequences in another order or fewer of them: `sequence_K` picks from every stream of the batch.
Batch pick_sequences(const Batch& batch, std::span<const std::int64_t> sequences);

}  // namespace hone
