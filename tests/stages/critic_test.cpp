// A separate critic against values computed by dynamic programming: the policy is frozen, and every way an episode can go
// is enumerated with the probabilities of the very model that plays.
#include <numeric>

#include "algo/gae.h"
#include "algo/policy_loss.h"
#include "algo/token_rewards.h"
#include "nn/layers.h"
#include "rollout/collect.h"
#include "rollout/pack.h"
#include "rollout/scoring.h"
#include "stages/ppo_member.h"
#include "stages/rl_loop.h"
#include "stages/walk_game.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr double kPenalty = 0.3;

/// b, c and d walk to a, in turns of two tokens of which a walk may take three; what runs out of tokens pays.
struct Game {
  TinyRun tiny;
  PpoSpec spec;

  Game() {
    Run& run = tiny.run;
    run.tokenizer = std::make_unique<AlphabetTokenizer>("abcd.>");
    auto shape = std::make_unique<LlamaSpec>(dynamic_cast<const LlamaSpec&>(*run.policy));
    shape->vocabulary_size = run.tokenizer->vocab_size();
    shape->context = 16;
    shape->init_std = 0.15;
    run.model = std::make_unique<Model>(*shape, HeadPlan{}, run.compute, true);
    run.policy = std::move(shape);
    run.model->store.initialize(run.seed);
    run.model->store.refresh();

    spec.kind = spec.name = "ppo";
    make_quick(spec.rl, walk_reward());
    RandomWalksSpec walks;
    walks.nodes = 4;
    walks.edges = {"ba", "bc", "bd", "ca", "cb", "da", "dc"};
    walks.max_nodes = 6;
    spec.rl.environment = std::make_unique<WalkGameSpec>(walks);
    spec.rl.sampling.max_tokens = 2;
    spec.rl.sampling.stop = {"."};
    spec.rl.sampling.temperature = 0.8;
    spec.rl.max_turns = 4;
    spec.rl.missing_eos_penalty = kPenalty;
    spec.rl.optimizer.learning_rate = 0;
    spec.critic.trunk = CriticTrunk::separate;
  }
};

struct Known {
  double value = 0;
  double chance = 0;  ///< of passing through it, from a start drawn evenly
};

/// Value of every state that can be reached, by recursion from the ends.
class ExactValues {
 public:
  explicit ExactValues(Game& game) : game_(game), run_(game.tiny.run), rewards_(game.spec.rl.rewards, {}) {
    environment_ = game.spec.rl.environment->make(run_.services());
    const std::uint64_t starts = environment_->size(Split::held_out);
    for (std::uint64_t i = 0; i < starts; ++i) {
      Episode episode;
      episode.prompt = environment_->prompt(Split::held_out, i);
      episode.prompt_ids = run_.tokenizer->encode(episode.prompt.text);
      episode.turns.emplace_back();
      visit(episode, 1.0 / static_cast<double>(starts));
    }
  }
  const std::map<State, Known>& states() const { return states_; }

 private:
  /// Probabilities of the next token.
  std::vector<double> next(const State& state) {
    const at::NoGradGuard no_grad;
    const at::Tensor last = batch_hidden(*run_.model, batch_of(state))[-1].to(at::kDouble);
    const at::Tensor logits = run_.model->policy->lm_head().weight().weight().to(at::kDouble).mv(last);
    const at::Tensor chance = (logits / game_.spec.rl.sampling.temperature).softmax(0).contiguous();
    return {chance.data_ptr<double>(), chance.data_ptr<double>() + chance.numel()};
  }

  double visit(const Episode& episode, double chance) {
    const State state = episode.token_stream();
    const std::vector<double> likely = next(state);
    double value = 0;
    for (std::size_t id = 0; id < likely.size(); ++id) {
      value += likely[id] * after(episode, static_cast<std::int32_t>(id), chance * likely[id]);
    }
    states_[state] = {value, chance};
    return value;
  }

  /// The value once `id` is written: as src/rollout/collect ends turns and episodes.
  double after(Episode episode, std::int32_t id, double chance) {
    Completion& written = episode.turns.back().completion;
    written.ids.push_back(id);
    written.text += run_.tokenizer->id_to_bytes(id);
    const bool ended = id == run_.tokenizer->eos_id() || written.text.ends_with('.');
    if (written.text.ends_with('.')) written.text.pop_back();
    const bool cut = !ended && static_cast<std::int64_t>(written.ids.size()) == game_.spec.rl.sampling.max_tokens;
    if (!ended && !cut) return visit(episode, chance);
    written.finish = cut ? FinishReason::length : FinishReason::stop;
    const Environment::Step step = environment_->step(episode);
    if (step.done) return worth(episode);
    if (static_cast<std::int64_t>(episode.turns.size()) == game_.spec.rl.max_turns) {
      written.finish = FinishReason::env;
      return worth(episode);
    }
    episode.turns.back().reply_ids = run_.tokenizer->encode(step.reply);
    episode.turns.emplace_back();
    return visit(episode, chance);
  }

  double worth(Episode& episode) {
    rewards_.score(std::span(&episode, 1));
    REQUIRE(episode.score.status == ScoreStatus::ok);
    return episode.score.value - (episode.finish() == FinishReason::length ? kPenalty : 0);
  }

  Game& game_;
  Run& run_;
  RewardSum rewards_;
  std::unique_ptr<Environment> environment_;
  std::map<State, Known> states_;
};

/// The game, and the member whose critic has watched it being played.
struct Watched {
  Game game;
  std::unique_ptr<PpoMember> member;

  Watched() {
    PpoSpec& spec = game.spec;
    spec.rl.iterations = 70;
    spec.rl.prompts = 1024;
    spec.rl.samples = 1;
    spec.rl.minibatch = 256;
    spec.rl.epochs = 2;
    spec.rl.optimizer.schedule.decay = Decay::linear;
    spec.critic.learning_rate = 3e-3;
    member = std::make_unique<PpoMember>(game.tiny.run, spec);
    RlLoop(game.tiny.run, spec.rl, spec.name, *member).run();
  }
};

Watched& watched() {
  static Watched once;
  return once;
}

/// The policy's gradient from one collection, as a run takes it but without whitening.
at::Tensor gradient(Watched& watched, const Batch& batch, const at::Tensor& reward_T, double lambda) {
  Model& model = *watched.game.tiny.run.model;
  const at::Tensor advantage_T =
      gae(reward_T, batch.value_T, batch.start_S1, batch.mask_T, {}, {.gamma = 1, .lambda = lambda}).advantage_T;
  const LossRows rows = loss_rows(Aggregation::token_mean, batch, static_cast<double>(batch.sequences()));
  const kernels::TokenStatistics tokens =
      model.policy->lm_head().token_statistics(take_rows(batch_hidden(model, batch), rows.index_M),
                                               rows.select(batch.target_T),
                                               watched.game.spec.rl.sampling.inverse_temperature(), false);
  model.store.zero_grads();
  const at::Tensor old_logprob_M = rows.select(batch.old_logprob_T), advantage_M = rows.select(advantage_T);
  policy_loss(tokens.logprob_M, old_logprob_M, advantage_M, {}, rows, {}).loss.backward();
  return model.store.grads().to(at::kDouble, false, true);
}

/// Σ over weights of the variance over collections.
double spread(const std::vector<at::Tensor>& gradients) { return at::stack(gradients).var(0).sum().item<double>(); }

}  // namespace

TEST_CASE("stages: the critic of a frozen policy learns the values that dynamic programming gives") {
  Watched& player = watched();
  const ExactValues exact(player.game);
  double chances = 0, checked = 0, square = 0;
  double lowest = 1, highest = -1;
  for (const auto& [state, known] : exact.states()) {
    const double value = batch_values(player.member->critic(), batch_of(state), 8192)[-1].item<double>();
    const double error = std::abs(value - known.value);
    chances += known.chance;
    square += known.chance * error * error;
    if (known.chance < 0.005) continue;  // seen a few hundred times
    checked += known.chance;
    lowest = std::min(lowest, known.value), highest = std::max(highest, known.value);
    CAPTURE(player.game.tiny.run.tokenizer->decode(state));
    CAPTURE(known.value);
    CHECK(error <= 0.05);
  }
  CHECK(checked / chances > 0.9);
  CHECK(std::sqrt(square / chances) <= 0.05);
  CHECK(lowest < -0.2);  // truncation is among the values, and so is the goal
  CHECK(highest > 0.5);
  CHECK(player.game.tiny.series("completions/mean_length").back() > 2);
  CHECK(player.game.tiny.series("ratio/max").back() == 1);
}

TEST_CASE("stages: with a critic that knows the values lambda .95 lowers the variance of the gradient") {
  Watched& player = watched();
  Run& run = player.game.tiny.run;
  const PpoSpec& spec = player.game.spec;
  const auto environment = spec.rl.environment->make(run.services());
  RewardSum rewards(spec.rl.rewards, {});
  Engine engine(*run.model, *run.tokenizer, {});
  std::vector<std::uint64_t> starts(64);
  std::iota(starts.begin(), starts.end(), 0);
  std::vector<at::Tensor> lambda_95, lambda_1, without_critic;
  for (std::uint64_t visit = 0; visit < 60; ++visit) {
    auto episodes = collect(engine, *run.tokenizer, *environment, starts, spec.rl.sampling,
                            {.key = 5, .visit = visit, .max_turns = spec.rl.max_turns});
    rewards.score(episodes);
    Batch batch = pack_episodes(episodes);
    batch.value_T = batch_values(player.member->critic(), batch, 8192);
    std::vector<double> score;
    for (const Episode& episode : episodes) {
      score.push_back(episode.score.value - (episode.finish() == FinishReason::length ? kPenalty : 0));
    }
    const at::Tensor reward_T = token_rewards(batch.start_S1, batch.mask_T, at::tensor(score), {}, {}, {}, {});
    lambda_95.push_back(gradient(player, batch, reward_T, 0.95));
    lambda_1.push_back(gradient(player, batch, reward_T, 1));
    batch.value_T = at::zeros_like(batch.value_T);
    without_critic.push_back(gradient(player, batch, reward_T, 1));
  }
  CHECK(spread(lambda_95) < 0.98 * spread(lambda_1));
  CHECK(spread(lambda_1) < 0.8 * spread(without_critic));
  // And at hardly any price: the mean stays.
  const at::Tensor mean = at::stack(lambda_1).mean(0);
  CHECK((at::stack(lambda_95).mean(0) - mean).norm().item<double>() < 0.01 * mean.norm().item<double>());
}
