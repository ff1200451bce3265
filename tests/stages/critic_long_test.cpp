// The critic on the field's random walks, with a policy that supervision made and that stays as it is. Takes minutes:
// tests/long/critic_of_random_walks runs it.
#include "stages/ppo_member.h"
#include "stages/rl_loop.h"
#include "stages/sft.h"
#include "stages/walk_game.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Every walk that the graph allows, with the model's chances: what leaves the graph or ends early is worth nothing,
/// what has arrived is worth its optimality whatever follows.
class WalkValues {
 public:
  struct Known {
    double value, chance;
  };

  WalkValues(Run& run, const Environment& walks) : run_(run), reward_(RandomWalksRewardSpec().make({})) {
    const std::uint64_t starts = walks.size(Split::held_out);
    for (std::uint64_t i = 0; i < starts; ++i) {
      Episode episode;
      episode.prompt = walks.prompt(Split::held_out, i);
      episode.turns.emplace_back();
      visit(episode, 1.0 / static_cast<double>(starts));
    }
  }
  const std::map<State, Known>& states() const { return states_; }

 private:
  double visit(Episode& episode, double chance) {
    const std::string start = episode.prompt.reference.at("start").as_string();
    const std::string walk = start + episode.turns[0].completion.text;
    if (walk.back() == 'a') return reward_->score(std::span(&episode, 1)).at(0).value;
    if (static_cast<std::int64_t>(walk.size()) == episode.prompt.reference.at("max_nodes").as_integer()) return 0;
    const State state = run_.tokenizer->encode(">" + walk);
    const at::Tensor likely = next(state);
    double value = 0;
    for (const char node : episode.prompt.reference.at("next").at(walk.substr(walk.size() - 1)).as_string()) {
      const double p = likely[run_.tokenizer->encode(std::string(1, node))[0]].item<double>();
      episode.turns[0].completion.text.push_back(node);
      value += p * visit(episode, chance * p);
      episode.turns[0].completion.text.pop_back();
    }
    states_[state] = {value, chance};
    return value;
  }

  at::Tensor next(const State& state) {
    const at::NoGradGuard no_grad;
    const at::Tensor last = batch_hidden(*run_.model, batch_of(state))[-1].to(at::kDouble);
    return run_.model->policy->lm_head().weight().weight().to(at::kDouble).mv(last).softmax(0);
  }

  Run& run_;
  std::unique_ptr<Reward> reward_;
  std::map<State, Known> states_;
};

}  // namespace

TEST_CASE("long: the critic of random_walks is within .05 of dynamic programming" * doctest::skip()) {
  TinyRun tiny;
  Run& run = tiny.run;
  run.tokenizer = std::make_unique<AlphabetTokenizer>("abcdefghijklmnopqrstu>.");
  auto shape = std::make_unique<LlamaSpec>(dynamic_cast<const LlamaSpec&>(*run.policy));
  shape->vocabulary_size = run.tokenizer->vocab_size();
  shape->hidden = 64;
  shape->context = 16;
  run.model = std::make_unique<Model>(*shape, HeadPlan{}, run.compute, true);
  run.policy = std::move(shape);
  run.model->store.initialize(run.seed);
  run.model->store.refresh();

  SftSpec sft;
  sft.kind = sft.name = "sft";
  sft.source.environment = std::make_unique<WalkGameSpec>(RandomWalksSpec());
  sft.training.steps = 400;
  sft.training.batch_size = 64;
  sft.training.optimizer.learning_rate = 3e-3;
  sft.run(run);

  PpoSpec spec;
  spec.kind = spec.name = "ppo";
  make_quick(spec.rl, walk_reward());
  spec.rl.environment = std::make_unique<WalkGameSpec>(RandomWalksSpec());
  spec.rl.sampling.max_tokens = 10;
  spec.rl.max_turns = 1;
  spec.rl.iterations = 200;
  spec.rl.prompts = 1000;
  spec.rl.samples = 2;
  spec.rl.minibatch = 500;
  spec.rl.epochs = 2;
  spec.rl.optimizer.learning_rate = 0;
  spec.rl.optimizer.schedule.decay = Decay::linear;
  spec.critic.trunk = CriticTrunk::separate;
  spec.critic.learning_rate = 3e-3;
  PpoMember member(run, spec);
  RlLoop(run, spec.rl, spec.name, member).run();

  const WalkValues exact(run, *RandomWalksSpec().make(run.services()));
  double chances = 0, checked = 0, square = 0, worst = 0;
  for (const auto& [state, known] : exact.states()) {
    const double value = batch_values(member.critic(), batch_of(state), 8192)[-1].item<double>();
    const double error = std::abs(value - known.value);
    chances += known.chance;
    square += known.chance * error * error;
    if (known.chance < 0.004) continue;  // seen a thousand times and more
    checked += known.chance;
    worst = std::max(worst, error);
    CAPTURE(run.tokenizer->decode(state));
    CAPTURE(known.value);
    CHECK(error <= 0.05);
  }
  MESSAGE("states ", exact.states().size(), ", checked share ", checked / chances, ", largest error ", worst,
          ", root mean square ", std::sqrt(square / chances), ", reward ", tiny.series("reward").back());
  CHECK(checked / chances > 0.7);
  CHECK(std::sqrt(square / chances) <= 0.05);
  CHECK(tiny.series("reward").back() > 0.2);
}
