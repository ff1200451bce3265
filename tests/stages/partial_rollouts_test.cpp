// Long completions that go on over several iterations, and averages of the policy's weights.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "policies/checkpoint.h"
#include "stages/checkpoint.h"
#include "stages/grpo.h"
#include "stages/tiny_rl.h"

using namespace hone;
using namespace hone::test;

namespace {

/// 8 prompts an iteration and 8 beside them; completions of up to 12 tokens, 5 at a time.
GrpoSpec in_parts(std::unique_ptr<RewardSpec> reward = low_ids()) {
  GrpoSpec spec = quick<GrpoSpec>("grpo", std::move(reward));
  spec.rl.iterations = 6;
  spec.rl.sampling.max_tokens = 12;
  spec.rl.rollout.token_budget = 5;
  spec.rl.rollout.spare_prompts = 8;
  spec.rl.optimizer.learning_rate = 3e-3;
  return spec;
}

using Address = std::pair<std::uint64_t, std::pair<std::uint64_t, std::int64_t>>;

/// Every training episode's ids by visit, prompt and sample.
std::map<Address, std::vector<std::int32_t>> drawn_by(GrpoSpec spec, TinyRun& tiny) {
  std::map<Address, std::vector<std::int32_t>> drawn;
  spec.rl.rewards = rewards_of(reward_of("seen", [&drawn](const Episode& episode) {
    if (episode.prompt.split == Split::train) {
      drawn[{episode.visit, {episode.prompt.id, episode.sample}}] = episode.turns.at(0).completion.ids;
    }
    return Score{.value = static_cast<double>(episode.sample)};
  }));
  spec.rl.optimizer.learning_rate = 0;
  spec.run(tiny.run);
  return drawn;
}

}  // namespace

TEST_CASE("stages: while the weights stay, episodes drawn in parts are those drawn at once") {
  TinyRun parts, whole;
  GrpoSpec in_one = in_parts();
  in_one.rl.iterations = 1;
  in_one.rl.prompts = 16;
  in_one.rl.rollout = {};
  const auto expected = drawn_by(std::move(in_one), whole);
  const auto drawn = drawn_by(in_parts(), parts);
  std::int64_t compared = 0;
  for (const auto& [address, ids] : drawn) {
    const auto found = expected.find(address);
    if (found == expected.end()) continue;  // of a later iteration
    CHECK(found->second == ids);
    ++compared;
  }
  CHECK(compared == 32);
}

TEST_CASE("stages: long completions go on with the weights of later iterations, and the ratio knows which drew them") {
  const auto learn = [](bool recompute, TinyRun& tiny) {
    std::set<std::size_t> versions;
    GrpoSpec spec = in_parts(reward_of("low_ids", [&versions](const Episode& episode) {
      const Completion& written = episode.turns.at(0).completion;
      versions.insert(std::set(written.version.begin(), written.version.end()).size());
      double low = 0;
      for (const std::int32_t id : written.ids) low += id < 64 ? 1 : 0;
      return Score{.value = low / static_cast<double>(written.ids.size())};
    }));
    spec.rl.importance.recompute = recompute;
    spec.run(tiny.run);
    return versions;
  };
  TinyRun plain, corrected;
  CHECK(learn(false, plain).size() > 1);  // completions of one version and of several
  CHECK(plain.series("partial/begun_earlier").at(0) == 0);
  CHECK(plain.series("partial/begun_earlier").at(3) > 0);
  CHECK(all_are(plain.series("partial/in_flight"), 8));
  CHECK(plain.series("partial/rounds").at(1) >= 1);
  CHECK(plain.series("logprob_gap/max").at(0) == 0);
  CHECK(plain.series("logprob_gap/max").at(3) > 0);
  CHECK(plain.series("reward").at(5) > plain.series("reward").at(0));
  learn(true, corrected);
  CHECK(all_are(corrected.series("logprob_gap/max"), 0));
  CHECK(corrected.series("importance/mean").at(0) == 1);
  CHECK(corrected.series("importance/mean").at(3) != 1);
}

TEST_CASE("stages: a run with episodes in flight and averaged weights goes on after a checkpoint bit for bit") {
  const auto spec = [] {
    GrpoSpec made = in_parts();
    made.rl.average_decay = 0.9;
    made.rl.checkpoint_every = 3;
    return made;
  };
  TinyRun whole, second;
  spec().run(whole.run);
  second.run.catalogs = &policy_table();
  const std::filesystem::path place = second.run.checkpoint_directory("grpo") / "step_3";
  std::filesystem::create_directories(place.parent_path());
  std::filesystem::copy(whole.run.checkpoint_directory("grpo") / "step_3", place, std::filesystem::copy_options::recursive);
  const std::vector<std::string> stages{"grpo"};
  second.run.resume_point = find_resume_point(second.run.directory, stages);
  REQUIRE(second.run.resume_point);
  second.run.restore_model(place);
  second.run.model->store.set_version(second.run.resume_point->record.updates);
  spec().run(second.run);
  CHECK(at::equal(second.weights(), whole.weights()));
  for (const char* name : {"reward", "grad_norm", "partial/begun_earlier", "logprob_gap/max"}) {
    const std::vector<double> all = whole.series(name), rest = second.series(name);
    REQUIRE(rest.size() == 3);
    CHECK(std::equal(rest.begin(), rest.end(), all.begin() + 3));
  }
}

TEST_CASE("stages: an average of the policy is what is evaluated and left, and does not change what is drawn") {
  const auto learn = [](double decay, TinyRun& tiny) {
    GrpoSpec spec = quick<GrpoSpec>("grpo");
    spec.rl.iterations = 6;
    spec.rl.optimizer.learning_rate = 3e-3;
    spec.rl.average_decay = decay;
    spec.run(tiny.run);
  };
  TinyRun plain, averaged, start;
  learn(0, plain);
  learn(0.9, averaged);
  CHECK(averaged.series("reward") == plain.series("reward"));
  CHECK(averaged.series("grad_norm") == plain.series("grad_norm"));
  const at::Tensor moved = plain.weights() - start.weights(), mean_moved = averaged.weights() - start.weights();
  CHECK(mean_moved.norm().item<double>() > 0);
  CHECK(mean_moved.norm().item<double>() < moved.norm().item<double>());
}
