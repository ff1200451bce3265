#include "optim/parameter_block.h"

#include "optim/optimizer.h"
#include "support/error_of.h"
#include "support/golden_tensor.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Embedding, two layers with a fused matrix and a norm, a final norm, a head.
void fill(ParameterStore& store) {
  store.add({.name = "embedding", .shape = {4, 8}, .parts = {{"bert.embeddings.word.weight", 4, {}}}, .matrix = true});
  for (const std::string layer : {"0", "1"}) {
    const std::string hf = "bert.layer." + layer;
    store.add({.name = "layers." + layer + ".qkv",
               .shape = {6, 8},
               .parts = {{hf + ".query.weight", 4, {}}, {hf + ".key.weight", 2, {}}},
               .matrix = true});
    store.add({.name = "layers." + layer + ".norm", .shape = {8}, .parts = {{hf + ".norm.weight", 8, {}}}, .decay = false});
  }
  store.add({.name = "final_norm", .shape = {8}, .parts = {{"bert.norm.weight", 8, {}}}, .decay = false});
  store.add({.name = "score", .shape = {2, 8}, .parts = {{"classifier.weight", 2, {}}}, .role = SegmentRole::head, .matrix = true});
  store.allocate();
}

std::vector<double> scales(const OptimizerConfig& config) {
  ParameterStore store(kernels::Compute::float32, true);
  fill(store);
  std::vector<double> all;
  for (const ParameterBlock& block : parameter_blocks(store, config)) all.push_back(block.scale);
  return all;
}

}  // namespace

TEST_CASE("optim: layer-wise rates fall from the heads to the embeddings") {
  const std::vector<double> expected = {0.125, 0.25, 0.25, 0.25, 0.5, 0.5, 0.5, 1, 1};
  CHECK(scales({.layer_decay = 0.5}) == expected);
  CHECK(scales({}) == std::vector<double>(9, 1.0));
}

TEST_CASE("optim: rates by name multiply, and reach into fused matrices") {
  CHECK(scales({.rates = {{"query.weight", 3}, {"classifier.*", 10}, {"bert.layer.1.*", 2}}}) ==
        std::vector<double>{1, 3, 1, 1, 6, 2, 2, 1, 10});
  ParameterStore store(kernels::Compute::float32, true);
  fill(store);
  store.initialize(3);
  const at::Tensor before = store.weights().clone();
  store.grads().fill_(1);
  Optimizer(store, {.rule = RuleKind::sgd, .learning_rate = 0.5, .max_grad_norm = 0, .rates = {{"key.weight", 0.25}}}, 1).step();
  const at::Tensor moved = (before - store.weights()).narrow(0, store.find("layers.0.qkv").segment().offset, 48);
  CHECK(gap(moved.narrow(0, 0, 32), at::full({32}, 0.5)) < 1e-6);
  CHECK(gap(moved.narrow(0, 32, 16), at::full({16}, 0.125)) < 1e-6);
}

TEST_CASE("optim: decay leaves out norms, biases and what no_decay names") {
  ParameterStore store(kernels::Compute::float32, true);
  fill(store);
  std::vector<bool> decays;
  for (const ParameterBlock& block : parameter_blocks(store, {.no_decay = {"word.weight", "bert.layer.0.*"}}))
    decays.push_back(block.decay);
  CHECK(decays == std::vector<bool>{false, false, false, false, true, true, false, false, true});
}

TEST_CASE("optim: a pattern that names nothing is refused with the names there are") {
  ParameterStore store(kernels::Compute::float32, true);
  fill(store);
  HONE_CHECK_ERROR(config, parameter_blocks(store, {.no_decay = {"embedings.*"}}), "no_decay", "embedings.*",
                   "bert.embeddings.word.weight");
  HONE_CHECK_ERROR(config, parameter_blocks(store, {.rates = {{"lm_head.weight", 2}}}), "rates", "lm_head.weight");
  CHECK(!parameter_blocks(store, {.rates = {{"lm_head.weight", 2}}, .names_must_exist = false}).empty());
}

TEST_CASE("optim: blocks that are treated alike are one stretch, whose moments follow each other") {
  ParameterStore store(kernels::Compute::float32, true);
  fill(store);
  const auto blocks = parameter_blocks(store, {});
  const auto stretches = join(blocks);
  REQUIRE(stretches.size() == 5);  // embedding and qkv | norm | qkv | both norms | score
  std::int64_t end = 0;
  for (const Stretch& stretch : stretches) {
    CHECK(stretch.begin == end);
    CHECK(stretch.state == stretch.begin);
    end = stretch.end;
  }
  CHECK(end == store.grads().numel());
  CHECK(state_size(stretches) == end);
  CHECK(state_size(join({})) == 0);
}
