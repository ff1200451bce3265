#include <functional>

#include "algo/gae.h"
#include "algo/masked.h"
#include "algo/token_rewards.h"
#include "io/safetensors.h"
#include "policies/checkpoint.h"
#include "rollout/pack.h"
#include "rollout/replay.h"
#include "stages/listed_prompts.h"
#include "stages/ppo.h"
#include "stages/tiny_rl.h"
#include "support/committed_golden.h"
#include "support/golden_tensor.h"
#include "text/tokenizer_json.h"

using namespace hone;
using namespace hone::test;

/// A run of TRL 1.12's PPOTrainer, watched by tools/golden/trl_ppo.py: 20 collections of 16 episodes, 4 optimizer steps
/// each. Its rollouts are replayed here; docs/benchmarks.md tells which conventions differ and what `compat` does about
/// it.
namespace {

std::filesystem::path model_folder() { return committed_golden_folder() / "models" / "trl_ppo"; }
std::filesystem::path rollouts_file() { return committed_golden_folder() / "trl_ppo_rollouts.jsonl"; }

/// TRL's settings, its conventions included.
PpoSpec trl_settings(const Json& golden) {
  PpoSpec spec = quick<PpoSpec>("ppo", constant_reward(0));
  spec.rl.environment = std::make_unique<ListedPromptsSpec>(rollouts_file());
  spec.rl.iterations = golden.at("iterations").as_integer();
  spec.rl.prompts = spec.rl.minibatch = golden.at("episodes").as_integer();
  spec.rl.samples = 1;
  spec.rl.epochs = golden.at("epochs").as_integer();
  spec.rl.sampling.max_tokens = golden.at("max_tokens").as_integer();
  spec.rl.sampling.temperature = golden.at("temperature").as_number();
  spec.rl.optimizer.learning_rate = golden.at("learning_rate").as_number();
  spec.rl.optimizer.eps = golden.at("adam_epsilon").as_number();
  spec.rl.optimizer.max_grad_norm = 0;
  spec.rl.kl.place = KlPlace::reward;
  spec.rl.kl.coefficient = golden.at("kl").as_number();
  spec.rl.rollout.replay = rollouts_file().string();
  spec.rl.compat = {.score_position = ScorePosition::after_last,
                    .micro_batch = golden.at("micro_batch").as_integer(),
                    .scale_critic = true};
  spec.critic.trunk = CriticTrunk::separate;
  spec.critic.clip = golden.at("value_clip").as_number();
  return spec;
}

/// A run on the weights that TRL began with.
struct TrlRun {
  explicit TrlRun(const Json& golden)
      : tiny(kernels::Compute::float32, static_cast<std::uint64_t>(golden.at("seed").as_integer())) {
    tiny.run.tokenizer = load_tokenizer(model_folder());
    tiny.run.policy = read_policy_spec(model_folder(), policy_table());
    tiny.run.model = open_model(model_folder());
  }
  TinyRun tiny;
};

/// A figure of each iteration: its mean over the optimizer steps, as the stage reports it.
std::vector<double> of_steps(const Json& golden, const std::string& name) {
  std::vector<double> means;
  for (const Json& steps : golden.at("steps").as_array()) {
    double sum = 0;
    for (const Json& step : steps.as_array()) sum += step.at(name).as_number();
    means.push_back(sum / static_cast<double>(steps.as_array().size()));
  }
  return means;
}

std::vector<double> largest_of_steps(const Json& golden, const std::string& name) {
  std::vector<double> largest;
  for (const Json& steps : golden.at("steps").as_array()) {
    largest.push_back(0);
    for (const Json& step : steps.as_array()) largest.back() = std::max(largest.back(), step.at(name).as_number());
  }
  return largest;
}

std::vector<double> of_logs(const Json& golden, const std::string& name) {
  std::vector<double> values;
  for (const Json& log : golden.at("logs").as_array()) values.push_back(log.at(name).as_number());
  return values;
}

/// Largest |ours - theirs| / max(|theirs|, scale) over the iterations.
double worst(const std::vector<double>& ours, const std::vector<double>& theirs, double scale) {
  if (ours.empty() || ours.size() > theirs.size()) return std::numeric_limits<double>::infinity();
  double gap = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    gap = std::max(gap, std::abs(ours[i] - theirs[i]) / std::max(std::abs(theirs[i]), scale));
  }
  return gap;
}

/// The metric of the stage, TRL's name in the golden file, and the size below which a difference counts as absolute:
/// the policy loss is a mean of terms of size 1 that cancel.
struct Figure {
  const char* ours;
  const char* theirs;
  double scale;
};
constexpr Figure figures[] = {{"loss", "policy_loss", 1e-2},
                              {"value_loss", "value_loss", 0},
                              {"ratio/mean", "ratio_mean", 0},
                              {"approx_kl", "approx_kl", 1e-3},
                              {"entropy", "entropy", 0},
                              {"grad_norm", "policy_grad_norm", 0},
                              {"critic_grad_norm", "critic_grad_norm", 0},
                              {"clip_ratio/low_mean", "clip_low", 1e-3},
                              {"clip_ratio/high_mean", "clip_high", 1e-3},
                              {"value_clip_ratio", "value_clip", 1e-3}};

/// Largest difference of the weights that the golden file lists, over what TRL's run changed in them.
double weight_gap(const std::filesystem::path& trained, const Json& final_weights) {
  const Safetensors now = Safetensors::open(trained), before = Safetensors::open(model_folder());
  double gap = 0, moved = 0;
  for (const auto& [name, entries] : final_weights.as_object()) {
    const auto* ours = reinterpret_cast<const float*>(now.find(name)->bytes.data());
    const auto* start = reinterpret_cast<const float*>(before.find(name)->bytes.data());
    for (std::size_t i = 0; i < entries.at("index").as_array().size(); ++i) {
      const auto place = entries.at("index").as_array()[i].as_integer();
      const double theirs = entries.at("value").as_array()[i].as_number();
      gap = std::max(gap, std::abs(static_cast<double>(ours[place]) - theirs));
      moved = std::max(moved, std::abs(static_cast<double>(start[place]) - theirs));
    }
  }
  return gap / moved;
}

at::Tensor stream_of(const Json& tokens, const char* name, const Batch& batch) {
  at::Tensor stream_T = at::zeros(batch.mask_T.sizes(), at::kDouble);
  const at::Tensor first_S = last_action_rows(batch.start_S1, batch.mask_T) + 1;
  for (std::int64_t s = 0; s < batch.sequences(); ++s) {
    const Json::Array& values = tokens.as_array()[static_cast<std::size_t>(s)].at(name).as_array();
    const auto actions =
        batch.mask_T.slice(0, batch.start_S1[s].item<int>(), batch.start_S1[s + 1].item<int>()).sum().item<double>();
    auto row = first_S[s].item<std::int64_t>() - static_cast<std::int64_t>(actions);
    for (const Json& value : values) stream_T[row++] = value.as_number();
  }
  return stream_T;
}

}  // namespace

TEST_CASE("stages: ppo learns from TRL's samples what TRL learned from them, step by step") {
  const Json golden = committed_golden("trl_ppo_steps.json");
  TrlRun trl(golden);
  trl_settings(golden).run(trl.tiny.run);
  CHECK(trl.tiny.series("loss").size() == 20);
  for (const Figure& figure : figures) {
    CAPTURE(figure.ours);
    CHECK(worst(trl.tiny.series(figure.ours), of_steps(golden, figure.theirs), figure.scale) < 1e-4);
  }
  CHECK(worst(trl.tiny.series("ratio/max"), largest_of_steps(golden, "ratio_max"), 0) < 1e-4);
  CHECK(worst(trl.tiny.series("kl"), of_logs(golden, "kl"), 1e-2) < 1e-4);
  CHECK(worst(trl.tiny.series("reward"), of_logs(golden, "score"), 0) < 1e-6);
  CHECK(trl.tiny.series("logprob_gap/max").at(19) < 1e-4);
  const auto trained = trl.tiny.scratch.path() / "trained";
  save_model_directory(*trl.tiny.run.model, *trl.tiny.run.tokenizer, trained);
  CHECK(weight_gap(trained, golden.at("final_policy")) < 1e-4);
}

TEST_CASE("stages: without its compat options ppo learns something else than TRL") {
  const Json golden = committed_golden("trl_ppo_steps.json");
  const auto gap = [&](const char* ours, const char* theirs, const std::function<void(PpoSpec&)>& change) {
    TrlRun trl(golden);
    PpoSpec spec = trl_settings(golden);
    spec.rl.iterations = 1;
    change(spec);
    spec.run(trl.tiny.run);
    return worst(trl.tiny.series(ours), of_steps(golden, theirs), 1e-3);
  };
  CHECK(gap("value_loss", "value_loss", [](PpoSpec&) {}) < 1e-4);
  CHECK(gap("value_loss", "value_loss",
            [](PpoSpec& spec) { spec.rl.compat.score_position = ScorePosition::last_token; }) > 1e-2);
  CHECK(gap("loss", "policy_loss", [](PpoSpec& spec) { spec.rl.compat.micro_batch = 0; }) > 1e-2);
  CHECK(gap("critic_grad_norm", "critic_grad_norm", [](PpoSpec& spec) { spec.rl.compat.scale_critic = false; }) > 1);
  CHECK(gap("grad_norm", "policy_grad_norm", [](PpoSpec& spec) { spec.rl.optimizer.max_grad_norm = 0.1; }) > 5e-4);
}

TEST_CASE("stages: advantages and returns of TRL's samples are TRL's, token by token") {
  const Json golden = committed_golden("trl_ppo_steps.json");
  const Json::Array& tokens = golden.at("tokens").as_array();
  const auto episodes = golden.at("episodes").as_integer();
  const auto tokenizer = load_tokenizer(model_folder());
  const ListedPrompts prompts(rollouts_file());
  RolloutReplay replay(rollouts_file(), prompts, *tokenizer,
                       {.iterations = golden.at("iterations").as_integer(), .episodes = episodes, .context = 32});
  for (std::int64_t iteration = 1; iteration <= golden.at("iterations").as_integer(); ++iteration) {
    const std::vector<Episode> read = replay.iteration(iteration, 0);
    const Batch batch = pack_episodes(read);
    const Json of_iteration(
        Json::Array(tokens.begin() + (iteration - 1) * episodes, tokens.begin() + iteration * episodes));
    std::vector<float> scores;
    for (const Episode& episode : read) scores.push_back(static_cast<float>(episode.score.value));
    const at::Tensor kl_T = batch.old_logprob_T - stream_of(of_iteration, "reference_logprobs", batch);
    const at::Tensor reward_T =
        token_rewards(batch.start_S1, batch.mask_T, stream_tensor(scores, at::kFloat), {}, kl_T, {},
                      {.kl_coefficient = golden.at("kl").as_number(), .score_position = ScorePosition::after_last});
    const at::Tensor credit_T = credit_mask(batch.start_S1, batch.mask_T, ScorePosition::after_last);
    const at::Tensor value_T = stream_of(of_iteration, "values", batch);
    const Advantages found = gae(reward_T, value_T, batch.start_S1, credit_T, {}, {});
    CHECK(gap(found.return_T, stream_of(of_iteration, "returns", batch)) < 2e-6);
    const at::Tensor white_T = masked_whiten(found.advantage_T, batch.mask_T);
    CHECK(gap(white_T, stream_of(of_iteration, "advantages", batch)) < 2e-5);
  }
}
