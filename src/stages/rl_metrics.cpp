#include "stages/rl_metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/json.h"
#include "io/file.h"

namespace hone {

namespace {

Json stream_json(const at::Tensor& stream) {
  Json::Array values;
  const at::Tensor doubles = stream.to(at::kDouble);
  for (std::int64_t i = 0; i < doubles.numel(); ++i) values.emplace_back(doubles.data_ptr<double>()[i]);
  return Json(std::move(values));
}

}  // namespace

void add_update_metrics(const UpdateMetrics& update, MetricValues& metrics) {
  const double steps = std::max<double>(1, static_cast<double>(update.steps));
  metrics.emplace_back("loss", update.loss / steps);
  metrics.emplace_back("clip_ratio/low_mean", update.policy.clip_ratio_low());
  metrics.emplace_back("clip_ratio/high_mean", update.policy.clip_ratio_high());
  metrics.emplace_back("ratio/mean", update.policy.ratio_mean());
  metrics.emplace_back("ratio/max", update.policy.ratio_max);
  metrics.emplace_back("approx_kl", update.policy.approx_kl());
  const double rows = std::max<double>(1, static_cast<double>(update.rows));
  metrics.emplace_back("entropy", update.entropy_sum / rows);
  if (update.importance_sum > 0 || update.left_out > 0) {
    metrics.emplace_back("importance/mean", update.importance_sum / rows);
    metrics.emplace_back("importance/left_out", update.left_out / rows);
  }
  if (update.kl_loss != 0) metrics.emplace_back("kl_loss", update.kl_loss / steps);
  metrics.emplace_back("grad_norm", update.grad_norm_sum / steps);
  metrics.emplace_back("learning_rate", update.learning_rate);
  metrics.emplace_back("logprob_gap/max", update.largest_gap);
  metrics.emplace_back("epochs", static_cast<double>(update.epochs));
  if (update.skipped > 0) metrics.emplace_back("skipped_updates", static_cast<double>(update.skipped));
}

void add_episode_metrics(const std::vector<Episode>& episodes, MetricValues& metrics) {
  double sum = 0, square = 0, scored = 0, truncated = 0;
  std::map<std::string, std::pair<double, double>> parts;
  for (const Episode& episode : episodes) {
    truncated += episode.finish() == FinishReason::length ? 1 : 0;
    if (episode.score.status != ScoreStatus::ok) continue;
    sum += episode.score.value;
    square += episode.score.value * episode.score.value;
    ++scored;
    for (const auto& [name, value] : episode.score.parts) {
      parts[name].first += value;
      parts[name].second += 1;
    }
  }
  const double count = static_cast<double>(episodes.size());
  const double mean = scored == 0 ? 0.0 : sum / scored;
  const double variance = scored < 2 ? 0.0 : std::max(0.0, (square - scored * mean * mean) / (scored - 1));
  metrics.emplace_back("reward", mean);
  metrics.emplace_back("reward_std", std::sqrt(variance));
  for (const auto& [name, part] : parts) metrics.emplace_back("rewards/" + name + "/mean", part.first / part.second);
  metrics.emplace_back("reward_errors", count - scored);
  metrics.emplace_back("completions/mean_length", static_cast<double>(completion_tokens(episodes)) / count);
  metrics.emplace_back("completions/clipped_ratio", truncated / count);
}

at::Tensor score_tensor(const std::vector<Episode>& episodes) {
  at::Tensor score_S = at::zeros({static_cast<std::int64_t>(episodes.size())}, at::kFloat);
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    if (episodes[i].score.status == ScoreStatus::ok) {
      score_S.data_ptr<float>()[i] = static_cast<float>(episodes[i].score.value);
    }
  }
  return score_S;
}

std::vector<RewardPart> reward_parts(const std::vector<std::unique_ptr<RewardSpec>>& rewards,
                                     const std::vector<Episode>& episodes, std::int64_t iteration) {
  std::vector<RewardPart> parts;
  for (const auto& reward : rewards) {
    RewardPart part{.weight = reward->term.weight_at(iteration),
                    .value_S = at::zeros({static_cast<std::int64_t>(episodes.size())}, at::kDouble),
                    .valid_S = at::zeros({static_cast<std::int64_t>(episodes.size())}, at::kBool)};
    const std::vector<double>& clip = reward->term.clip;
    for (std::size_t i = 0; i < episodes.size(); ++i) {
      const Score& score = episodes[i].score;
      const auto own = std::ranges::find(score.parts, reward->name, &std::pair<std::string, double>::first);
      if (score.status != ScoreStatus::ok || own == score.parts.end()) continue;
      part.valid_S.data_ptr<bool>()[i] = true;
      part.value_S.data_ptr<double>()[i] = clip.empty() ? own->second : std::clamp(own->second, clip[0], clip[1]);
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

std::int64_t completion_tokens(const std::vector<Episode>& episodes) {
  std::int64_t tokens = 0;
  for (const Episode& episode : episodes) tokens += episode.completion_tokens();
  return tokens;
}

std::filesystem::path dump_batch(const std::filesystem::path& directory, const std::string& stage, const Batch& batch) {
  Json json = Json::object();
  const std::pair<const char*, const at::Tensor*> streams[] = {
      {"ids", &batch.ids_T},           {"start", &batch.start_S1},         {"target", &batch.target_T},
      {"mask", &batch.mask_T},         {"old_logprob", &batch.old_logprob_T}, {"ref_logprob", &batch.ref_logprob_T},
      {"value", &batch.value_T},       {"advantage", &batch.advantage_T},  {"return", &batch.return_T},
      {"target_sequence", &batch.target_S}, {"target_values", &batch.target_SC}, {"span", &batch.span_S2}};
  for (const auto& [name, stream] : streams) {
    if (stream->defined()) json.set(name, stream_json(*stream));
  }
  const std::filesystem::path file = directory / (stage + "_failed_batch.json");
  write_file_atomic(file, json.dump());
  return file;
}

}  // namespace hone
