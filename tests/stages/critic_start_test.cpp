#include "data/packing.h"
#include "stages/model_directory.h"
#include "stages/packed_forward.h"
#include "stages/ppo_member.h"
#include "stages/reward_model.h"
#include "stages/tiny_rl.h"
#include "stages/to_batch.h"

using namespace hone;
using namespace hone::test;

namespace {

/// A short stage of that name, saved as the run would save it; the run goes on with what it learned from.
void learn_rewards(TinyRun& tiny, const std::string& name) {
  std::string lines;
  for (int i = 0; i < 16; ++i) {
    lines += R"({"prompt":")" + std::to_string(i) + R"(?","chosen":"ab","rejected":"ba"})" + "\n";
  }
  tiny.add_data("rows", "rows.jsonl", lines);
  RewardModelSpec spec;
  spec.kind = spec.name = name;
  spec.data = "rows";
  spec.training.steps = 5;
  spec.training.optimizer.learning_rate = 1e-2;
  spec.run(tiny.run);
  tiny.run.save_checkpoint(tiny.run.checkpoint_directory(name) / "final", {.stage = name, .finished = true});
  tiny.run.use_heads({});
}

PpoSpec critic_from(const std::string& name) {
  PpoSpec spec = quick<PpoSpec>("ppo");
  spec.critic.trunk = CriticTrunk::separate;
  spec.critic.from = name;
  return spec;
}

Batch some_texts() {
  std::vector<TokenExample> examples;
  for (std::int32_t i = 0; i < 4; ++i) examples.push_back({.ids = {48 + i, 63, 97 + i, 98}});
  return to_batch(pack(examples, std::vector<std::uint64_t>{0, 1, 2, 3}));
}

}  // namespace

TEST_CASE("stages: a critic that begins as a reward model values a text by that model's score") {
  TinyRun tiny;
  learn_rewards(tiny, "judge");
  const PpoSpec spec = critic_from("judge");
  PpoMember member(tiny.run, spec);
  Model judge(*tiny.run.policy, HeadPlan{.lm = false, .scores = 1}, tiny.run.compute, false);
  load_weights(judge, tiny.run.model_place("judge"));
  const Batch batch = some_texts();
  const at::NoGradGuard no_grad;
  const at::Tensor score_S = batch_scores(judge, batch, 100).squeeze(1);
  const at::Tensor last_S = (batch.start_S1.slice(0, 1) - 1).to(at::kLong);
  CHECK(at::equal(batch_values(member.critic(), batch, 100).index_select(0, last_S), score_S));
  CHECK(score_S.std().item<double>() > 0);
}

TEST_CASE("stages: ppo learns with a critic that began as a reward model, whose directory stays as it was") {
  TinyRun tiny;
  learn_rewards(tiny, "judge");
  const std::string before = contents_of(tiny.run.model_place("judge") / "model.safetensors");
  PpoSpec spec = critic_from("judge");
  spec.rl.iterations = 2;
  spec.run(tiny.run);
  CHECK(tiny.series("critic_grad_norm").at(0) > 0);
  CHECK(tiny.series("value_loss").at(1) != tiny.series("value_loss").at(0));
  CHECK(contents_of(tiny.run.model_place("judge") / "model.safetensors") == before);
}
