// Samples of other weights, so that ratios are far from 1, learned from in passes of 1, 4 and all 16 episodes: every form
// of the loss gives the same gradient.
#include <functional>
#include <map>
#include <string>

#include "stages/grpo_presets.h"
#include "stages/packed_forward.h"
#include "stages/ppo.h"
#include "stages/tiny_rl.h"
#include "stages/to_batch.h"

using namespace hone;
using namespace hone::test;

namespace {

using Change = std::function<void(GrpoSpec&)>;

/// The forms of the loss.
const std::map<std::string, Change>& forms() {
  static const std::map<std::string, Change> all = {
      {"token ratio", [](GrpoSpec& spec) { spec.rl.dual_clip = 3; }},
      {"one ratio an episode",
       [](GrpoSpec& spec) {
         spec.rl.ratio = RatioLevel::sequence;
         spec.rl.aggregation = Aggregation::sequence_mean;
       }},
      {"constant factors",
       [](GrpoSpec& spec) {
         spec.rl.clip = ClipKind::detached;
         spec.rl.aggregation = Aggregation::constant_length;
       }},
      {"weights by episode",
       [](GrpoSpec& spec) {
         spec.rl.importance.recompute = true;
         spec.rl.importance.level = RatioLevel::sequence;
         spec.rl.importance.token_low = 1e-3;
         spec.rl.importance.stale_above = 0.5;
       }},
      {"held rows, entropy and a weighted divergence",
       [](GrpoSpec& spec) {
         spec.rl.covariance.control = CovarianceControl::kl;
         spec.rl.covariance.share = 0.3;
         spec.rl.entropy_coefficient = 0.01;
         spec.rl.kl = {.place = KlPlace::loss, .estimator = KlEstimator::k3};
         spec.rl.kl.ratio_weighted = true;
       }},
  };
  return all;
}

GrpoSpec spec_of(const Change& change) {
  GrpoSpec spec = quick<GrpoSpec>("grpo");
  spec.rl.prompts = spec.rl.samples = 4;
  spec.rl.sampling.max_tokens = 6;
  change(spec);
  return spec;
}

/// Weights after - before one step that is the gradient times a thousand: AdamW with an eps that dwarfs every gradient.
at::Tensor gradient(const std::string& record, std::int64_t tokens_per_pass, const Change& change) {
  GrpoSpec spec = spec_of(change);
  spec.rl.rollout.replay = record;
  spec.rl.tokens_per_pass = tokens_per_pass;
  spec.rl.optimizer.learning_rate = 1e7;
  spec.rl.optimizer.eps = 1e4;
  spec.rl.optimizer.max_grad_norm = 0;
  TinyRun tiny(kernels::Compute::float32, 8);
  const at::Tensor before = tiny.weights();
  spec.run(tiny.run);
  return tiny.weights() - before;
}

}  // namespace

TEST_CASE("stages: every form of the loss accumulates the same gradient in passes of 1, 4 and 16 episodes") {
  const Scratch scratch;
  const std::string record = (scratch.path() / "record.jsonl").string();
  TinyRun recorded;
  GrpoSpec recording = spec_of([&](GrpoSpec& spec) { spec.rl.rollout.record = record; });
  recording.run(recorded.run);
  at::Tensor last;
  for (const auto& [name, change] : forms()) {
    CAPTURE(name);
    const at::Tensor whole = gradient(record, 8192, change);
    CHECK(whole.norm().item<double>() > 0);
    for (const std::int64_t tokens : {1, 36}) {
      const at::Tensor parts = gradient(record, tokens, change);
      CHECK(((parts - whole).to(at::kDouble).norm() / whole.to(at::kDouble).norm()).item<double>() <= 1e-6);
    }
    if (last.defined()) CHECK((whole - last).norm().item<double>() > 1e-2 * whole.norm().item<double>());
    last = whole;
  }
}

TEST_CASE("stages: with a shared trunk log-probabilities and values that are computed anew come of one pass, bit for bit") {
  const auto learn = [](bool recompute, TinyRun& tiny) {
    PpoSpec spec = quick<PpoSpec>("ppo");
    spec.rl.iterations = 3;
    spec.rl.importance.recompute = recompute;
    spec.run(tiny.run);
  };
  TinyRun kept, anew;
  learn(false, kept);
  learn(true, anew);
  CHECK(at::equal(kept.weights(), anew.weights()));
  CHECK(kept.series("value_mean") == anew.series("value_mean"));

  Model& model = *anew.run.model;
  PackedRows rows;
  rows.ids_T = {97, 98, 62, 97, 99, 62, 98};
  rows.position_T = {0, 1, 2, 0, 1, 2, 3};
  rows.start_S1 = {0, 3, 7};
  rows.target_T = {98, 62, 0, 99, 62, 98, 0};
  rows.mask_T = {0, 1, 0, 1, 1, 1, 0};
  rows.group_S = {0, 1};
  const Batch batch = to_batch(rows);
  const LogprobsAndValues both = batch_logprobs_and_values(model, batch, 1.25, 3);
  CHECK(at::equal(both.logprob_T, batch_logprobs(model, batch, 1.25, 8192)));
  CHECK(at::equal(both.value_T, batch_values(model, batch, 8192)));
}
