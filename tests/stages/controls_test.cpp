// Controls: what a reward that says nothing, the opposite or the truth does to a policy that supervision left a third right.
#include "rewards/exact_match.h"
#include "stages/ppo.h"
#include "stages/sft.h"
#include "stages/tiny_rl.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Weights that answer about a third of the prompts.
at::Tensor partly_right() {
  TinyRun tiny;
  SftSpec spec;
  spec.kind = spec.name = "sft";
  spec.source.environment = std::make_unique<FirstLetterSpec>();
  spec.training.steps = 28;
  spec.training.batch_size = 16;
  spec.training.optimizer.learning_rate = 3e-3;
  spec.run(tiny.run);
  return tiny.weights();
}

struct Level {
  double before, after;  ///< share of right answers, sampled
};

Level trained_with(const at::Tensor& start, double sign, const std::function<void(PpoSpec&)>& change = {}) {
  TinyRun tiny;
  tiny.run.model->store.weights().copy_(start);
  tiny.run.model->store.refresh();
  auto right = std::make_unique<ExactMatchSpec>();
  right->kind = right->name = "exact_match";
  right->term.weight = sign;
  PpoSpec spec = quick<PpoSpec>("ppo", std::move(right));
  spec.rl.prompts = 29;
  spec.rl.samples = 8;
  spec.rl.minibatch = 58;
  spec.rl.epochs = 2;
  spec.rl.iterations = 25;
  spec.rl.sampling.max_tokens = 3;
  spec.rl.evaluation.prompts = 100;
  spec.rl.evaluation.sampled = true;
  spec.rl.evaluation.samples = 100;
  spec.rl.evaluation.sampling.max_tokens = 3;
  if (change) change(spec);
  spec.run(tiny.run);
  const std::vector<double> share = tiny.series("eval_sampled/exact_match/mean");
  return {share.front(), share.back()};
}

}  // namespace

TEST_CASE("stages: a reward teaches what it says: the truth, its opposite, or nothing when it is shuffled") {
  const at::Tensor start = partly_right();
  const Level truth = trained_with(start, 1), opposite = trained_with(start, -1);
  const Level shuffled = trained_with(start, 1, [](PpoSpec& spec) { spec.rl.shuffle_rewards = true; });
  CHECK(truth.before > 0.2);
  CHECK(truth.before < 0.7);
  CHECK(truth.after > truth.before + 0.15);
  CHECK(opposite.after < opposite.before - 0.15);
  CHECK(shuffled.after < shuffled.before + 0.05);
}
