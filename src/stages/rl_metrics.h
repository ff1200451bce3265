#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "algo/batch.h"
#include "algo/policy_loss.h"
#include "flow/reward.h"
#include "report/metrics.h"
#include "stages/rl_member.h"

namespace hone {

/// Sums over the passes of one iteration's updates.
struct UpdateMetrics {
  PolicyMetrics policy;
  double loss = 0, entropy_sum = 0, kl_loss = 0, grad_norm_sum = 0;
  double largest_gap = 0;  ///< |log-probability in training - at sampling|, before the first step
  double importance_sum = 0, left_out = 0;  ///< of the rows' importance weights; rows whose weight is 0
  double learning_rate = 0;
  std::int64_t steps = 0, rows = 0, skipped = 0, epochs = 0;
};

/// loss, ratio/…, clip_ratio/…, approx_kl, entropy, grad_norm, learning_rate, logprob_gap/max …
void add_update_metrics(const UpdateMetrics& update, MetricValues& metrics);

/// reward, reward_std, rewards/<name>/mean, reward_errors, completions/mean_length, completions/clipped_ratio.
void add_episode_metrics(const std::vector<Episode>& episodes, MetricValues& metrics);

/// The score of each episode, float32; 0 where it is an error (the mask hides it).
at::Tensor score_tensor(const std::vector<Episode>& episodes);

/// What each reward gave the episodes, with its weight after `iteration` iterations.
std::vector<RewardPart> reward_parts(const std::vector<std::unique_ptr<RewardSpec>>& rewards,
                                     const std::vector<Episode>& episodes, std::int64_t iteration);

std::int64_t completion_tokens(const std::vector<Episode>& episodes);

/// Writes the streams of a batch as JSON below `directory` for people to look at; returns the file.
std::filesystem::path dump_batch(const std::filesystem::path& directory, const std::string& stage, const Batch& batch);

}  // namespace hone
