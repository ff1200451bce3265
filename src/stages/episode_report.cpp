#include "stages/episode_report.h"

#include <algorithm>
#include <numeric>

#include "base/utf8.h"

namespace hone {

namespace {

std::string name_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop: return "stop";
    case FinishReason::length: return "length";
    case FinishReason::env: return "env";
    case FinishReason::abort: return "abort";
  }
  return "";
}

std::string name_of(ScoreStatus status) {
  switch (status) {
    case ScoreStatus::ok: return "ok";
    case ScoreStatus::abstain: return "abstain";
    case ScoreStatus::error: return "error";
  }
  return "";
}

SampleRow sample_of(const Tokenizer& tokenizer, const Episode& episode, std::int64_t step) {
  SampleRow row{.step = step,
                .split = episode.prompt.split == Split::train ? "train" : "held_out",
                .prompt = tokenizer.decode(episode.prompt_ids, SkipSpecial::no),
                .finish = name_of(episode.finish()),
                .status = name_of(episode.score.status),
                .note = episode.score.note,
                .reward = episode.score.value,
                .parts = episode.score.parts};
  for (const Turn& turn : episode.turns) {
    row.completion += turn.completion.text + turn.reply;
    row.logprobs.insert(row.logprobs.end(), turn.completion.logprob.begin(), turn.completion.logprob.end());
    for (const std::int32_t id : turn.completion.ids) row.tokens.push_back(valid_utf8(tokenizer.id_to_bytes(id)));
  }
  return row;
}

/// Of the policy's tokens of sequence i; none when the episode is masked out.
std::vector<float> advantages_of(const Batch& batch, std::size_t i) {
  const std::int32_t* start = batch.start_S1.data_ptr<std::int32_t>();
  const float* mask = batch.mask_T.data_ptr<float>();
  const float* advantage = batch.advantage_T.data_ptr<float>();
  std::vector<float> advantages;
  for (std::int32_t row = start[i]; row < start[i + 1]; ++row) {
    if (mask[row] != 0) advantages.push_back(advantage[row]);
  }
  return advantages;
}

/// The best, the worst, then the first, `count` in all.
std::vector<std::size_t> chosen(const std::vector<Episode>& episodes, std::size_t count) {
  std::vector<std::size_t> order(episodes.size());
  std::iota(order.begin(), order.end(), 0);
  if (count >= 2 && episodes.size() > 2) {
    const auto less = [&episodes](std::size_t a, std::size_t b) { return episodes[a].score.value < episodes[b].score.value; };
    const auto [worst, best] = std::minmax_element(order.begin(), order.end(), less);
    const std::size_t first[] = {*best, *worst};
    if (first[0] != first[1]) {
      std::stable_partition(order.begin(), order.end(), [&first](std::size_t i) { return i == first[0] || i == first[1]; });
    }
  }
  order.resize(std::min(order.size(), count));
  return order;
}

}  // namespace

void report_trained(Run& run, std::int64_t step, const std::vector<Episode>& episodes, const Batch& batch) {
  std::vector<float> rewards, lengths, advantages;
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    const Episode& episode = episodes[i];
    if (episode.score.status == ScoreStatus::ok) rewards.push_back(static_cast<float>(episode.score.value));
    lengths.push_back(static_cast<float>(episode.completion_tokens()));
    const std::vector<float> its_advantages = advantages_of(batch, i);
    advantages.insert(advantages.end(), its_advantages.begin(), its_advantages.end());
  }
  run.report->distribution(step, "reward", std::move(rewards));
  run.report->distribution(step, "completions/length", std::move(lengths));
  run.report->distribution(step, "advantage", std::move(advantages));
  for (const std::size_t i : chosen(episodes, static_cast<std::size_t>(run.reporting.samples))) {
    SampleRow row = sample_of(*run.tokenizer, episodes[i], step);
    row.advantages = advantages_of(batch, i);
    run.report->sample(std::move(row));
  }
}

void report_held_out(Run& run, std::int64_t step, std::span<const Episode> episodes) {
  const std::size_t count = std::min(episodes.size(), static_cast<std::size_t>(run.reporting.samples));
  for (const Episode& episode : episodes.first(count)) run.report->sample(sample_of(*run.tokenizer, episode, step));
}

}  // namespace hone
