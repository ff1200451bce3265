#include <algorithm>
#include <functional>
#include <sstream>

#include "envs/skeleton.h"
#include "io/file.h"
#include "stages/grpo.h"
#include "stages/ppo.h"
#include "stages/tiny_rl.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Two iterations with everything that an update reads: shuffled minibatches, several turns, a critic, a divergence.
void make_hard(RlConfig& rl) {
  auto guess = std::make_unique<SkeletonEnvSpec>();
  guess->turns = 3;
  rl.environment = std::move(guess);
  rl.sampling.max_tokens = 3;
  rl.sampling.temperature = 0.7;
  rl.iterations = 2;
  rl.epochs = 2;
  rl.minibatch = 8;
  rl.kl.place = KlPlace::reward;
}

PpoSpec hard_ppo(CriticTrunk trunk) {
  PpoSpec spec = quick<PpoSpec>("ppo");
  make_hard(spec.rl);
  spec.critic.trunk = trunk;
  return spec;
}

struct Outcome {
  at::Tensor weights;
  std::vector<double> reward, loss, gap;
};

template <class Spec>
Outcome outcome(const Spec& spec, std::uint64_t seed = 7, kernels::Compute compute = kernels::Compute::float32) {
  TinyRun tiny(compute, seed);
  spec.run(tiny.run);
  return {tiny.weights(), tiny.series("reward"), tiny.series("loss"), tiny.series("logprob_gap/max")};
}

/// Records a run, then runs it again from the record with rewards that know nothing.
template <class Spec>
void check_round_trip(Spec&& spec, kernels::Compute compute = kernels::Compute::float32) {
  const Scratch scratch;
  spec.rl.rollout.record = (scratch.path() / "rollouts.jsonl").string();
  const Outcome recorded = outcome(spec, 7, compute);
  spec.rl.rollout.replay = spec.rl.rollout.record;
  spec.rl.rollout.record = (scratch.path() / "again.jsonl").string();
  spec.rl.rewards = rewards_of(constant_reward(0));
  spec.rl.shuffle_rewards = false;
  const Outcome replayed = outcome(spec, 7, compute);
  CHECK(at::equal(replayed.weights, recorded.weights));
  CHECK(replayed.reward == recorded.reward);
  CHECK(replayed.loss == recorded.loss);
  CHECK(contents_of(*spec.rl.rollout.record) == contents_of(*spec.rl.rollout.replay));
}

/// The record without some keys, as another program might have written it.
std::string without(const std::string& record, const std::vector<std::string>& keys) {
  std::string out;
  std::stringstream lines(record);
  const std::function<void(Json&)> strip = [&](Json& json) {
    std::erase_if(json.as_object(), [&](const Json::Member& member) {
      return std::find(keys.begin(), keys.end(), member.first) != keys.end();
    });
    for (auto& [key, value] : json.as_object()) {
      if (key == "turns") {
        for (Json& turn : value.as_array()) strip(turn);
      }
    }
  };
  for (std::string line; std::getline(lines, line);) {
    Json json = Json::parse(line, "record");
    strip(json);
    out += json.dump() + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("stages: a run that replays its own record ends with the same weights, bit for bit") {
  check_round_trip(hard_ppo(CriticTrunk::shared));
  check_round_trip(hard_ppo(CriticTrunk::separate));
  check_round_trip(hard_ppo(CriticTrunk::shared), kernels::Compute::bfloat16);
  PpoSpec shuffled = hard_ppo(CriticTrunk::shared);
  shuffled.rl.shuffle_rewards = true;
  check_round_trip(std::move(shuffled));
  PpoSpec corrected = hard_ppo(CriticTrunk::shared);
  corrected.rl.sampling.top_k = 50;
  corrected.rl.truncated_sampling = TruncatedSampling::correct;
  check_round_trip(std::move(corrected));
  GrpoSpec grpo = quick<GrpoSpec>("grpo");
  make_hard(grpo.rl);
  check_round_trip(std::move(grpo));
}

TEST_CASE("stages: what a record leaves out is computed: log-probabilities by the model, scores by the rewards") {
  const Scratch scratch;
  PpoSpec spec = hard_ppo(CriticTrunk::shared);
  spec.rl.rollout.record = (scratch.path() / "rollouts.jsonl").string();
  const Outcome recorded = outcome(spec);
  const std::string record = contents_of(*spec.rl.rollout.record);
  spec.rl.rollout = {
      .replay = scratch.file("bare.jsonl", without(record, {"logprobs", "score", "prompt_ids", "group"})).string()};
  const Outcome bare = outcome(spec);
  CHECK(at::equal(bare.weights, recorded.weights));
  CHECK(bare.reward == recorded.reward);
  CHECK(all_are(bare.gap, 0));
}

TEST_CASE("stages: a replay does not depend on the seed that draws samples") {
  const Scratch scratch;
  PpoSpec spec = hard_ppo(CriticTrunk::shared);
  spec.rl.minibatch = 16;
  spec.rl.rollout.record = (scratch.path() / "rollouts.jsonl").string();
  const Outcome recorded = outcome(spec);
  spec.rl.rollout = {.replay = spec.rl.rollout.record};
  const Outcome other = outcome(spec, 8);  // other weights learn from the same samples
  CHECK(other.reward == recorded.reward);
  CHECK(other.gap.at(0) > 0.1);
  CHECK(!at::equal(other.weights, recorded.weights));
}

TEST_CASE("stages: a record with groups of another size than the stage's stops it before anything is learned") {
  const Scratch scratch;
  GrpoSpec spec = quick<GrpoSpec>("grpo");  // 8 prompts, 2 samples
  spec.rl.rollout.record = (scratch.path() / "rollouts.jsonl").string();
  outcome(spec);
  spec.rl.rollout = {.replay = spec.rl.rollout.record};
  CHECK_NOTHROW(outcome(spec));
  spec.rl.prompts = 4;
  spec.rl.samples = 4;
  HONE_CHECK_ERROR(data, outcome(spec), "rollouts.jsonl:3", "group 0 of iteration 1 has 2 episodes", "have 4");
  PpoSpec ppo = quick<PpoSpec>("ppo");  // nothing is compared: any groups will do
  ppo.rl.rollout = spec.rl.rollout;
  ppo.rl.prompts = 16;
  ppo.rl.samples = 1;
  CHECK_NOTHROW(outcome(ppo));
}

TEST_CASE("stages: a record that does not fit stops the stage before anything is learned") {
  const Scratch scratch;
  PpoSpec spec = hard_ppo(CriticTrunk::shared);
  spec.rl.rollout.record = (scratch.path() / "rollouts.jsonl").string();
  outcome(spec);
  spec.rl.rollout = {.replay = spec.rl.rollout.record};
  spec.rl.iterations = 3;
  HONE_CHECK_ERROR(data, outcome(spec), "rollouts.jsonl", "ends in iteration 2", "3 iterations");
  spec.rl.iterations = 2;
  spec.rl.prompts = 16;
  HONE_CHECK_ERROR(data, outcome(spec), "rollouts.jsonl:17", "iteration 2 after 16", "32 episodes");
  spec.rl.prompts = 8;
  spec.rl.environment = std::make_unique<FirstLetterSpec>();
  HONE_CHECK_ERROR(data, outcome(spec), "rollouts.jsonl:1", "other prompts");
}
