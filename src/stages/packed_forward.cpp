#include "stages/packed_forward.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/stop.h"
#include "nn/layers.h"
#include "rollout/pack.h"

namespace hone {

namespace {

std::vector<std::int64_t> all_sequences(const Batch& batch) {
  std::vector<std::int64_t> sequences(static_cast<std::size_t>(batch.sequences()));
  std::iota(sequences.begin(), sequences.end(), 0);
  return sequences;
}

/// Fills a [T] stream pass by pass; `compute` gets a part of the batch and returns its rows.
at::Tensor by_passes(const Batch& batch, std::int64_t tokens_per_pass,
                     const std::function<at::Tensor(const Batch&)>& compute) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> parts;
  for (const auto& sequences : cut_by_tokens(batch, tokens_per_pass)) {
    throw_if_stopped();
    parts.push_back(compute(pick_sequences(batch, sequences)));
  }
  return at::cat(parts);
}

/// Dropout of the adapters' inputs for one pass: what is generated or scored afterwards knows nothing of it.
class AdapterDropout {
 public:
  AdapterDropout(Model& model, std::uint64_t key) : store_(model.store) {
    store_.use_adapters({.dropout = key == 0 ? 0.0 : model.tuning.lora.dropout, .dropout_key = key});
  }
  AdapterDropout(const AdapterDropout&) = delete;
  ~AdapterDropout() { store_.use_adapters({}); }

 private:
  ParameterStore& store_;
};

/// At the rows that the mask counts, 0 elsewhere.
at::Tensor counted_logprobs(Model& model, const Batch& part, const at::Tensor& hidden_TD, double inverse_temperature) {
  const at::Tensor row_M = at::nonzero(part.mask_T).squeeze(1);
  const at::Tensor logprob_M = model.policy->lm_head()
                                   .token_statistics(take_rows(hidden_TD, row_M), part.target_T.index_select(0, row_M),
                                                     inverse_temperature, false)
                                   .logprob_M;
  return at::zeros_like(part.mask_T).index_copy_(0, row_M, logprob_M);
}

}  // namespace

std::vector<std::vector<std::int64_t>> cut_by_tokens(const Batch& batch, std::span<const std::int64_t> sequences,
                                                     std::int64_t tokens) {
  const std::int32_t* start = batch.start_S1.const_data_ptr<std::int32_t>();
  const std::int32_t* source = batch.has_sources() ? batch.source_start_S1.const_data_ptr<std::int32_t>() : nullptr;
  std::vector<std::vector<std::int64_t>> cuts;
  std::int64_t filled = 0;
  for (const std::int64_t s : sequences) {
    const std::int64_t length = start[s + 1] - start[s] + (source == nullptr ? 0 : source[s + 1] - source[s]);
    if (cuts.empty() || filled + length > tokens) {
      cuts.emplace_back();
      filled = 0;
    }
    cuts.back().push_back(s);
    filled += length;
  }
  return cuts;
}

std::vector<std::vector<std::int64_t>> cut_by_tokens(const Batch& batch, std::int64_t tokens) {
  return cut_by_tokens(batch, all_sequences(batch), tokens);
}

at::Tensor batch_hidden(Model& model, const Batch& batch, double dropout, std::uint64_t dropout_key,
                        std::vector<at::Tensor>* router_logits, const at::Tensor& embedding_noise_TD) {
  const kernels::AttentionPlan plan = packed_plan(batch.start_S1, batch.position_T);
  const AdapterDropout adapter_dropout(model, dropout_key);
  if (!batch.has_sources()) {
    return model.policy->hidden(batch.ids_T, {.plan = &plan,
                                              .dropout = dropout,
                                              .dropout_key = dropout_key,
                                              .type_T = batch.type_T,
                                              .embedding_noise_TD = embedding_noise_TD,
                                              .router_logits = router_logits});
  }
  const kernels::AttentionPlan source_plan = packed_plan(batch.source_start_S1, batch.source_position_U);
  const at::Tensor encoded_UD = model.policy->encode(
      batch.source_ids_U, {.plan = &source_plan, .dropout = dropout, .dropout_key = dropout_key});
  kernels::AttentionPlan cross_plan;
  cross_plan.start_S1 = batch.start_S1;
  cross_plan.key_start_S1 = batch.source_start_S1;
  const SourceSide source{.encoded_UD = encoded_UD, .plan = &cross_plan};
  return model.policy->hidden(batch.ids_T,
                              {.plan = &plan, .dropout = dropout, .dropout_key = dropout_key, .source = &source});
}

at::Tensor batch_logprobs(Model& model, const Batch& batch, double inverse_temperature, std::int64_t tokens_per_pass) {
  return by_passes(batch, tokens_per_pass, [&](const Batch& part) {
    return counted_logprobs(model, part, batch_hidden(model, part), inverse_temperature);
  });
}

LogprobsAndValues batch_logprobs_and_values(Model& model, const Batch& batch, double inverse_temperature,
                                            std::int64_t tokens_per_pass) {
  const at::Tensor both_T2 = by_passes(batch, tokens_per_pass, [&](const Batch& part) {
    const at::Tensor hidden_TD = batch_hidden(model, part);
    return at::stack({counted_logprobs(model, part, hidden_TD, inverse_temperature), (*model.value)(hidden_TD).squeeze(1)}, 1);
  });
  return {both_T2.select(1, 0).contiguous(), both_T2.select(1, 1).contiguous()};
}

void fill_logprobs(Model& model, std::span<Episode> episodes, double inverse_temperature, std::int64_t tokens_per_pass) {
  for (Episode& episode : episodes) {
    for (Turn& turn : episode.turns) turn.completion.logprob.assign(turn.completion.ids.size(), 0);
  }
  const Batch batch = pack_episodes(episodes);
  const at::Tensor logprob_T = batch_logprobs(model, batch, inverse_temperature, tokens_per_pass);
  const float* logprob = logprob_T.const_data_ptr<float>();
  for (Episode& episode : episodes) {
    const float* row = logprob + episode.prompt_ids.size() - 1;
    for (Turn& turn : episode.turns) {
      std::copy_n(row, turn.completion.ids.size(), turn.completion.logprob.begin());
      row += turn.completion.ids.size() + turn.reply_ids.size();
    }
    logprob += episode.token_stream().size();
  }
}

at::Tensor batch_values(Model& model, const Batch& batch, std::int64_t tokens_per_pass) {
  return by_passes(batch, tokens_per_pass,
                   [&](const Batch& part) { return (*model.value)(batch_hidden(model, part)).squeeze(1); });
}

at::Tensor batch_scores(Model& model, const Batch& batch, std::int64_t tokens_per_pass) {
  return by_passes(batch, tokens_per_pass, [&](const Batch& part) {
    return (*model.score)(model.score->pick(batch_hidden(model, part), part.start_S1));
  });
}

}  // namespace hone
