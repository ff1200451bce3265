// The pipeline of a run, from episodes to the gradient, with a real model over four tokens: every answer is an episode,
// weighted by its probability, so that the gradient must be that of E[R] - beta KL. The oracle is a plain softmax in
// double precision over its own table of answers; it knows neither rows nor masks.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include <map>

#include "algo/gae.h"
#include "algo/kl.h"
#include "algo/policy_loss.h"
#include "algo/token_rewards.h"
#include "nn/layers.h"
#include "policies/llama.h"
#include "rollout/pack.h"
#include "stages/packed_forward.h"
#include "support/doctest_torch.h"

using namespace hone;

namespace {

constexpr std::int32_t kTokens = 4, kEnd = 3;
constexpr std::size_t kHorizon = 3;
constexpr double kPenalty = 0.3;
const std::vector<std::int32_t> kPrompt = {1, 2};

using Ids = std::vector<std::int32_t>;

/// Every answer: three tokens at most, token 3 ends it.
void extend(const Ids& prefix, std::vector<Ids>& answers) {
  if (prefix.size() == kHorizon || (!prefix.empty() && prefix.back() == kEnd)) {
    answers.push_back(prefix);
    return;
  }
  for (std::int32_t id = 0; id < kTokens; ++id) {
    Ids longer = prefix;
    longer.push_back(id);
    extend(longer, answers);
  }
}

std::unique_ptr<Model> random_model(std::uint64_t seed) {
  LlamaSpec spec;
  spec.vocabulary_size = kTokens;
  spec.hidden = 16;
  spec.layers = 2;
  spec.heads = 2;
  spec.context = 8;
  spec.init_std = 0.4;
  spec.tied_embeddings = false;  // so that the LM head's gradient is its own
  auto model = std::make_unique<Model>(spec, HeadPlan{.value = true}, kernels::Compute::float32, true);
  model->store.initialize(seed);
  model->store.find("value").weight().normal_(0, 1, at::detail::createCPUGenerator(seed));
  model->store.refresh();
  return model;
}

class Enumerated {
 public:
  Enumerated(double beta, double temperature) : beta_(beta), temperature_(temperature) {
    at::set_num_threads(1);
    extend({}, answers_);
    for (const Ids& answer : answers_) {
      Ids stream = kPrompt;
      for (const std::int32_t id : answer) {
        state_of_.emplace(stream, static_cast<std::int64_t>(state_of_.size()));
        stream.push_back(id);
      }
    }
    score_S_ = (at::arange(static_cast<std::int64_t>(answers_.size()), at::kDouble) * 2.3).cos();
    hidden_ = states_hidden(*model_).requires_grad_(true);
    head_ = model_->policy->lm_head().weight().weight().to(at::kDouble, false, true).requires_grad_(true);
  }

  /// d(E[score - penalty] - β·KL) by hidden states [states, D] and by the LM head [4, D].
  std::pair<at::Tensor, at::Tensor> exact() const {
    const at::Tensor logprob = table(hidden_, head_);
    const at::Tensor ref_head = reference_->policy->lm_head().weight().weight().to(at::kDouble);
    const at::Tensor ref = table(states_hidden(*reference_), ref_head);
    at::Tensor objective = at::zeros({}, at::kDouble);
    for (std::size_t s = 0; s < answers_.size(); ++s) {
      const at::Tensor own = of_answer(logprob, s);
      const double penalty = answers_[s].back() == kEnd ? 0 : kPenalty;
      const at::Tensor paid = score_S_[static_cast<std::int64_t>(s)] - penalty;
      objective = objective + own.exp() * (paid - beta_ * (own - of_answer(ref, s)));
    }
    const auto gradients = torch::autograd::grad({objective}, {hidden_, head_});
    return {gradients[0], gradients[1]};
  }

  /// The same as a run computes it: episodes, rows, streams, losses; the sign is that of a climb.
  std::pair<at::Tensor, at::Tensor> pipeline(bool with_critic) {
    const Batch batch = learned(with_critic);
    const LossRows rows = loss_rows(Aggregation::token_mean, batch, 1.0);
    at::Tensor hidden_TD;
    {
      const at::NoGradGuard no_grad;
      hidden_TD = batch_hidden(*model_, batch);
    }
    hidden_TD = hidden_TD.detach().requires_grad_(true);
    model_->store.zero_grads();
    const kernels::TokenStatistics tokens =
        model_->policy->lm_head().token_statistics(take_rows(hidden_TD, rows.index_M), rows.select(batch.target_T),
                                                   1.0 / temperature_, false);
    const at::Tensor old_logprob_M = rows.select(batch.old_logprob_T), advantage_M = rows.select(batch.advantage_T);
    const PolicyLoss loss = policy_loss(tokens.logprob_M, old_logprob_M, advantage_M, {}, rows, {});
    CHECK(loss.metrics.ratio_max == doctest::Approx(1).epsilon(1e-5));
    loss.loss.backward();
    const at::Tensor by_row = hidden_TD.grad().to(at::kDouble);
    const at::Tensor by_state = at::zeros_like(hidden_).index_add(0, state_of_rows(batch), by_row);
    return {-by_state, -model_->policy->lm_head().weight().grad().to(at::kDouble)};
  }

 private:
  /// Hidden states after each state, one by one.
  at::Tensor states_hidden(Model& model) const {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> rows(state_of_.size());
    for (const auto& [state, index] : state_of_) {
      Batch batch;
      const auto count = static_cast<int>(state.size());
      batch.ids_T = stream_tensor(state, at::kInt);
      batch.position_T = at::arange(count, at::kInt);
      batch.start_S1 = at::tensor(std::vector<int>{0, count}, at::kInt);
      rows[static_cast<std::size_t>(index)] = batch_hidden(model, batch)[-1];
    }
    return at::stack(rows).to(at::kDouble);
  }
  /// log π(token | state), [states, 4].
  at::Tensor table(const at::Tensor& hidden, const at::Tensor& head) const {
    return (hidden.matmul(head.t()) / temperature_).log_softmax(1);
  }
  at::Tensor of_answer(const at::Tensor& table, std::size_t s) const {
    at::Tensor sum = at::zeros({}, at::kDouble);
    Ids stream = kPrompt;
    for (const std::int32_t id : answers_[s]) {
      sum = sum + table[state_of_.at(stream)][id];
      stream.push_back(id);
    }
    return sum;
  }

  std::vector<Episode> episodes() const {
    const at::Tensor logprob = table(hidden_.detach(), head_.detach());
    std::vector<Episode> episodes;
    for (std::size_t s = 0; s < answers_.size(); ++s) {
      Episode episode;
      episode.prompt_ids = kPrompt;
      Completion written{.ids = answers_[s], .version = std::vector<std::int64_t>(answers_[s].size(), 0)};
      Ids stream = kPrompt;
      for (const std::int32_t id : answers_[s]) {
        written.logprob.push_back(logprob[state_of_.at(stream)][id].item<float>());
        stream.push_back(id);
      }
      written.finish = answers_[s].back() == kEnd ? FinishReason::stop : FinishReason::length;
      episode.turns.push_back({.completion = std::move(written)});
      episodes.push_back(std::move(episode));
    }
    return episodes;
  }

  Batch learned(bool with_critic) {
    const std::vector<Episode> all = episodes();
    Batch batch = pack_episodes(all);
    std::vector<double> truncated;
    for (const Episode& episode : all) truncated.push_back(episode.finish() == FinishReason::length ? 1 : 0);
    batch.ref_logprob_T = batch_logprobs(*reference_, batch, 1.0 / temperature_, 20);
    const at::Tensor kl_T = kl_estimate(batch.old_logprob_T, batch.ref_logprob_T, KlEstimator::k1);
    const at::Tensor reward_T =
        token_rewards(batch.start_S1, batch.mask_T, score_S_.to(at::kFloat), at::tensor(truncated) != 0, kl_T, {},
                      {.kl_coefficient = beta_, .missing_eos_penalty = kPenalty});
    batch.value_T = with_critic ? batch_values(*model_, batch, 20) : at::zeros_like(batch.mask_T);
    if (with_critic) CHECK(batch.value_T.std().item<double>() > 0.5);
    batch.advantage_T =
        gae(reward_T, batch.value_T, batch.start_S1, batch.mask_T, {}, {.gamma = 1, .lambda = 1}).advantage_T;
    const at::Tensor sequence_T = sequence_of_rows(batch.start_S1);
    const at::Tensor logprob_T = (batch.old_logprob_T * batch.mask_T).to(at::kDouble);
    const at::Tensor logprob_S = at::zeros({batch.sequences()}, at::kDouble).index_add(0, sequence_T, logprob_T);
    CHECK(logprob_S.exp().sum().item<double>() == doctest::Approx(1).epsilon(1e-5));
    batch.weight_T = logprob_S.exp().index_select(0, sequence_T).to(at::kFloat);
    return batch;
  }

  /// The state that each row has seen; rows before and after the answer go to state 0, with gradient 0.
  at::Tensor state_of_rows(const Batch& batch) const {
    std::vector<std::int64_t> states;
    const int* id = batch.ids_T.data_ptr<int>();
    Ids stream;
    for (std::int64_t t = 0; t < batch.tokens(); ++t) {
      if (batch.position_T.data_ptr<int>()[t] == 0) stream.clear();
      stream.push_back(id[t]);
      const auto found = state_of_.find(stream);
      states.push_back(found == state_of_.end() ? 0 : found->second);
    }
    return at::tensor(states, at::kLong);
  }

  double beta_, temperature_;
  std::vector<Ids> answers_;
  std::map<Ids, std::int64_t> state_of_;
  at::Tensor score_S_, hidden_, head_;
  std::unique_ptr<Model> model_ = random_model(1), reference_ = random_model(2);
};

double largest_gap(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace

TEST_CASE("stages: over every answer the gradient of a real model is that of E[R] - beta KL") {
  for (const double temperature : {1.0, 0.7}) {
    for (const double beta : {0.0, 0.4}) {
      CAPTURE(temperature);
      CAPTURE(beta);
      Enumerated problem(beta, temperature);
      const auto [by_state, by_head] = problem.exact();
      CHECK(by_state.abs().max().item<double>() > 0.01);
      CHECK(by_head.abs().max().item<double>() > 0.01);
      for (const bool with_critic : {false, true}) {
        CAPTURE(with_critic);
        const auto [state, head] = problem.pipeline(with_critic);
        CHECK(largest_gap(state, by_state) <= 1e-5);
        CHECK(largest_gap(head, by_head) <= 1e-5);
      }
    }
  }
}
