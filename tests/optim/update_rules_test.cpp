// Every update rule beside the program that the field uses: tools/golden/optimizers.py wrote the figures.
#include "base/threads.h"
#include "optim/optimizer.h"
#include "support/committed_golden.h"
#include "support/error_of.h"
#include "support/golden_tensor.h"

using namespace hone;
using namespace hone::test;

namespace {

/// A fused segment of two matrices of a layer, an embedding and a bias, as the script has them.
struct Weights {
  ParameterStore store{kernels::Compute::float32, true};

  Weights() {
    store.add({.name = "embedding", .shape = {5, 4}, .parts = {{"embedding", 5, {}}}, .matrix = true});
    store.add({.name = "layers.0.fused",
               .shape = {9, 4},
               .parts = {{"layers.0.a", 6, {}}, {"layers.0.b", 3, {}}},
               .matrix = true});
    store.add({.name = "bias", .shape = {5}, .parts = {{"bias", 5, {}}}, .decay = false});
    store.allocate();
    for (int i = 0; i < 4; ++i) {
      const at::Tensor weight = of(i, store.weights());
      weight.copy_(at::sin(at::arange(weight.numel(), at::kDouble) * 1.1 + i).view(weight.sizes()) * 0.5);
    }
    store.refresh();
  }

  static constexpr std::array<const char*, 4> names = {"layers.0.a", "layers.0.b", "embedding", "bias"};

  /// The i-th tensor of the script, in one of the arenas.
  at::Tensor of(int i, const at::Tensor& arena) {
    const Segment& segment = store.find(i < 2 ? "layers.0.fused" : names[static_cast<std::size_t>(i)]).segment();
    const at::Tensor whole = arena.narrow(0, segment.offset, segment.count()).view(segment.shape);
    return i == 0 ? whole.narrow(0, 0, 6) : i == 1 ? whole.narrow(0, 6, 3) : whole;
  }

  void set_gradients(int step) {
    for (int i = 0; i < 4; ++i) {
      const at::Tensor weight = of(i, store.weights());
      const at::Tensor wave = at::sin(at::arange(weight.numel(), at::kDouble) * 0.7 + 1.3 * step + i);
      of(i, store.grads()).copy_(0.5 * wave.view(weight.sizes()) + 0.3 * weight);
    }
  }
};

OptimizerConfig rule(RuleKind kind, double learning_rate, double weight_decay = 0.1) {
  return {.rule = kind,
          .learning_rate = learning_rate,
          .beta2 = 0.95,
          .weight_decay = weight_decay,
          .max_grad_norm = 0,
          .schedule = {.decay = Decay::cosine, .warmup_steps = 4}};
}

OptimizerConfig adafactor(double learning_rate, double weight_decay, const AdafactorConfig& own) {
  OptimizerConfig config = rule(RuleKind::adafactor, learning_rate, weight_decay);
  config.adafactor = own;
  return config;
}

OptimizerConfig muon(double learning_rate, double weight_decay, const MuonConfig& own) {
  OptimizerConfig config = rule(RuleKind::muon, learning_rate, weight_decay);
  config.muon = own;
  return config;
}

OptimizerConfig sgd(const SgdConfig& own, double max_grad_norm = 0) {
  OptimizerConfig config = rule(RuleKind::sgd, 0.05);
  config.sgd = own;
  config.max_grad_norm = max_grad_norm;
  return config;
}

OptimizerConfig clipped(OptimizerConfig config) {
  config.max_grad_norm = 1;
  return config;
}

const std::vector<std::pair<std::string, OptimizerConfig>>& cases() {
  static const std::vector<std::pair<std::string, OptimizerConfig>> all = {
      {"adamw", rule(RuleKind::adamw, 0.01)},
      {"adamw_clipped", clipped(rule(RuleKind::adamw, 0.01))},
      {"adafactor", adafactor(0.01, 0.1, {})},
      {"adafactor_relative", adafactor(7, 0.1, {.relative_step = true, .scale_parameter = true})},
      {"adafactor_warmup_mean",
       adafactor(7, 0, {.relative_step = true, .warmup_init = true, .scale_parameter = true, .beta1 = 0.9})},
      {"adafactor_clipping",
       adafactor(0.01, 0.1, {.scale_parameter = true, .decay_exponent = 0.5, .clip_threshold = 0.5})},
      {"lion", rule(RuleKind::lion, 0.003)},
      {"muon", muon(0.02, 0.1, {})},
      {"muon_original", muon(0.003, 0.1, {.learning_rate = 0.02, .scale = MuonScale::original})},
      {"muon_plain_momentum", muon(0.02, 0, {.momentum = 0.8, .nesterov = false, .iterations = 3})},
      {"sgd", sgd({})},
      {"sgd_momentum", sgd({.momentum = 0.9})},
      {"sgd_nesterov", sgd({.momentum = 0.9, .nesterov = true}, 1)}};
  return all;
}

constexpr std::int64_t kSteps = 20;

}  // namespace

TEST_CASE("optim: every rule follows its reference over 20 steps, matrix by matrix of a fused segment") {
  const Json golden = committed_golden("optimizers.json");
  CHECK(golden.at("optimizers").as_object().size() == cases().size());
  for (const auto& [name, config] : cases()) {
    CAPTURE(name);
    Weights weights;
    Optimizer optimizer(weights.store, config, kSteps);
    double largest = 0;
    for (int step = 1; step <= 20; ++step) {
      weights.set_gradients(step);
      CHECK(!optimizer.step().skipped);
      const Json* shown = golden.at("optimizers").at(name).find(std::to_string(step));
      if (shown == nullptr) continue;
      for (int i = 0; i < 4; ++i) {
        const at::Tensor weight = weights.of(i, weights.store.weights()).flatten();
        largest = std::max(largest, gap(weight, tensor_of(shown->at(Weights::names[static_cast<std::size_t>(i)]))));
      }
    }
    CHECK(largest < 5e-7);
  }
}

TEST_CASE("optim: every rule has the same bits for one thread and two, and keeps the gaps of the arena zero") {
  const int before = threads();
  for (const auto& [name, config] : cases()) {
    CAPTURE(name);
    at::Tensor result[2];
    for (const int team : {1, 2}) {
      set_threads(team);
      Weights weights;
      Optimizer optimizer(weights.store, config, kSteps);
      for (int step = 1; step <= 6; ++step) weights.set_gradients(step), optimizer.step();
      result[team - 1] = weights.store.weights().clone();
      for (const Segment& segment : weights.store.segments()) {
        const std::int64_t end = segment.offset + segment.count();
        CHECK(weights.store.weights().slice(0, end, segment.end()).count_nonzero().item<std::int64_t>() == 0);
      }
    }
    CHECK(at::equal(result[0], result[1]));
  }
  set_threads(before);
}

TEST_CASE("optim: every rule goes on from saved state to the bit") {
  for (const auto& [name, config] : cases()) {
    CAPTURE(name);
    Weights whole, resumed;
    Optimizer first(whole.store, config, kSteps);
    for (int step = 1; step <= 5; ++step) whole.set_gradients(step), first.step();
    resumed.store.weights().copy_(whole.store.weights());
    resumed.store.refresh();
    Optimizer second(resumed.store, config, kSteps);
    const auto from = first.state(), to = second.state();
    REQUIRE(from.size() == to.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
      CHECK(from[i].first == to[i].first);
      to[i].second.copy_(from[i].second);
    }
    second.set_steps(first.steps());
    for (int step = 6; step <= 9; ++step) {
      whole.set_gradients(step), resumed.set_gradients(step);
      first.step(), second.step();
    }
    CHECK(at::equal(whole.store.weights(), resumed.store.weights()));
  }
}

TEST_CASE("optim: a gradient that is not finite changes neither weights nor moments, whatever the rule") {
  for (const auto& [name, config] : cases()) {
    CAPTURE(name);
    Weights weights;
    Optimizer optimizer(weights.store, config, kSteps);
    for (int step = 1; step <= 2; ++step) weights.set_gradients(step), optimizer.step();
    const at::Tensor before = weights.store.weights().clone();
    std::vector<at::Tensor> moments;
    for (const auto& [unused, moment] : optimizer.state()) moments.push_back(moment.clone());
    weights.set_gradients(3);
    weights.store.grads()[1] = std::nan("");
    CHECK(optimizer.step().skipped);
    CHECK(at::equal(weights.store.weights(), before));
    for (std::size_t i = 0; i < moments.size(); ++i) CHECK(at::equal(optimizer.state()[i].second, moments[i]));
    CHECK(optimizer.steps() == 2);
  }
}

TEST_CASE("optim: moments take no more memory than a rule needs") {
  Weights weights;
  const std::int64_t trained = weights.store.grads().numel();
  const auto values = [&](const OptimizerConfig& config) {
    const Optimizer optimizer(weights.store, config, 1);
    std::int64_t sum = 0;
    for (const auto& [unused, moment] : optimizer.state()) sum += moment.numel();
    return sum;
  };
  CHECK(values(rule(RuleKind::adamw, 1)) == 2 * trained);
  CHECK(values(rule(RuleKind::lion, 1)) == trained);
  CHECK(values(sgd({})) == 0);
  CHECK(values(sgd({.momentum = 0.5})) == trained);
  CHECK(values(adafactor(1, 0, {})) == (6 + 4) + (3 + 4) + (5 + 4) + 5);
  CHECK(values(muon(1, 0, {})) == 9 * 4 + 2 * (32 + 16));  // with the gaps behind embedding and bias
}

TEST_CASE("optim: Muon without a matrix of a layer to train is refused") {
  ParameterStore store(kernels::Compute::float32, true);
  store.add({.name = "embedding", .shape = {5, 4}, .matrix = true});
  store.add({.name = "layers.0.qkv", .shape = {4, 4}, .matrix = true, .frozen = true});
  store.allocate();
  HONE_CHECK_ERROR(config, Optimizer(store, rule(RuleKind::muon, 1), 1), "optimizer.rule", "muon", "adamw");
}

TEST_CASE("optim: Adafactor reaches the target of the golden case") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto golden = golden_case(folder, "schedules_optim.json", "hf_adafactor_converges");
  const auto& inputs = golden.at("inputs");
  ParameterStore store(kernels::Compute::float32, true);
  const auto w = store.add({.name = "w", .shape = {3}});
  store.allocate();
  w.weight().copy_(tensor_of(inputs.at("w0")));
  OptimizerConfig config = adafactor(inputs.at("lr").as_number(), 0, {});
  config.schedule = {};
  Optimizer optimizer(store, config, 1000);
  const auto target = tensor_of(inputs.at("target")).to(at::kFloat);
  for (std::int64_t step = 0; step < inputs.at("steps").as_integer(); ++step) {
    w.grad() += 2.0 / 3.0 * (w.weight() - target);
    optimizer.step();
  }
  CHECK(gap(w.weight(), tensor_of(golden.at("expected"))) < golden.at("tol").as_number());
}

TEST_CASE("optim: a step leaves the packed words of the new weights, zero gradients and the frozen weights") {
  const int before = threads();
  for (const kernels::Compute compute : {kernels::Compute::float32, kernels::Compute::bfloat16}) {
    for (const RuleKind kind : {RuleKind::adamw, RuleKind::lion, RuleKind::sgd, RuleKind::muon, RuleKind::adafactor}) {
      for (const int team : {1, 2}) {
        CAPTURE(static_cast<int>(kind));
        set_threads(team);
        // Panels end within the parts of the fused matrix, whose rates differ, and parts begin within cache lines.
        ParameterStore store(compute, true);
        const Parameter fused = store.add({.name = "layers.0.fused",
                                           .shape = {75, 37},
                                           .parts = {{"layers.0.a", 33, {}}, {"layers.0.b", 42, {}}},
                                           .matrix = true});
        const Parameter vector = store.add({.name = "vector", .shape = {40001}, .decay = false});
        const Parameter frozen = store.add({.name = "frozen", .shape = {40, 37}, .matrix = true, .frozen = true});
        store.allocate();
        store.initialize(4);
        store.refresh();
        OptimizerConfig config = rule(kind, 0.01);
        config.rates = {{"layers.0.b", 0.0}};
        config.no_decay = {"layers.0.b"};
        const at::Tensor old_fused = fused.weight().clone(), old_vector = vector.weight().clone(),
                         old_frozen = frozen.weight().clone();
        store.grads().copy_(at::sin(at::arange(store.grads().numel(), at::kFloat)));
        Optimizer optimizer(store, config, kSteps);
        optimizer.set_steps(5);  // past the warm-up's first rate, which is 0
        optimizer.step();
        CHECK(store.grads().count_nonzero().item<std::int64_t>() == 0);
        CHECK(at::equal(frozen.weight(), old_frozen));
        CHECK(fused.weight().narrow(0, 0, 33).ne(old_fused.narrow(0, 0, 33)).all().item<bool>());
        CHECK(at::equal(fused.weight().narrow(0, 33, 42), old_fused.narrow(0, 33, 42)));
        CHECK(vector.weight().ne(old_vector).sum().item<std::int64_t>() > 40000 - 5);
        const at::Tensor x = at::sin(at::arange(3 * 37, at::kFloat)).view({3, 37}),
                         dy = at::cos(at::arange(3 * 75, at::kFloat)).view({3, 75});
        kernels::PackedWeight packed(75, 37, compute, true);
        packed.refresh(fused.weight());
        CHECK(at::equal(kernels::linear_forward(x, fused.packed()), kernels::linear_forward(x, packed)));
        CHECK(at::equal(kernels::linear_backward_input(dy, fused.packed()), kernels::linear_backward_input(dy, packed)));
      }
    }
  }
  set_threads(before);
}
