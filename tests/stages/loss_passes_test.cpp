#include "stages/loss_passes.h"

#include "algo/loss_rows.h"
#include "algo/packed.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Five episodes of 3 rows with 2, 1, 0, 2 and 1 actions.
Batch five_episodes() {
  Batch batch;
  batch.start_S1 = starts_of({3, 3, 3, 3, 3});
  batch.mask_T = numbers({1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0}).to(at::kFloat);
  return batch;
}

using Sequences = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("stages: passes share the denominator of the whole minibatch") {
  RlConfig config;
  config.tokens_per_pass = 7;
  const Batch batch = five_episodes();
  const std::vector<LossPass> passes = loss_passes(config, config.tokens_per_pass, batch, batch.mask_T);
  REQUIRE(passes.size() == 3);
  CHECK(passes[0].sequences == Sequences{0, 1});
  CHECK(passes[2].sequences == Sequences{4});
  for (const LossPass& pass : passes) CHECK(pass.denominator == 6);
  config.aggregation = Aggregation::sequence_mean;
  for (const LossPass& pass : loss_passes(config, config.tokens_per_pass, batch, batch.mask_T)) CHECK(pass.denominator == 4);
  CHECK(loss_passes(config, config.tokens_per_pass, batch, at::zeros_like(batch.mask_T)).empty());
}

TEST_CASE("stages: with micro_batch the loss is the mean of the means of so many episodes each") {
  RlConfig config;
  config.compat.micro_batch = 2;
  const Batch batch = five_episodes();
  std::vector<LossPass> passes = loss_passes(config, config.tokens_per_pass, batch, batch.mask_T);
  REQUIRE(passes.size() == 3);
  CHECK(passes[0].sequences == Sequences{0, 1});
  CHECK(passes[0].denominator == 3 * 3);
  CHECK(passes[1].denominator == 2 * 3);
  CHECK(passes[2].sequences == Sequences{4});
  CHECK(passes[2].denominator == 1 * 3);
  config.tokens_per_pass = 3;  // a micro-batch may need several passes
  passes = loss_passes(config, config.tokens_per_pass, batch, batch.mask_T);
  REQUIRE(passes.size() == 5);
  CHECK(passes[1].denominator == 3 * 3);
  config.compat.micro_batch = 1;  // the episode without actions is no mean
  passes = loss_passes(config, config.tokens_per_pass, batch, batch.mask_T);
  REQUIRE(passes.size() == 4);
  CHECK(passes[2].sequences == Sequences{3});
  CHECK(passes[2].denominator == 2 * 4);
}
