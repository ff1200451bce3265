#include "optim/optimizer.h"

#include <cmath>
#include <limits>

#include "base/threads.h"
#include "support/error_of.h"
#include "support/golden_tensor.h"

using namespace hone;
using namespace hone::test;

namespace {

/// matrix (decay) | bias | critic head (decay) | frozen | scaled; none a multiple of the alignment.
void fill(ParameterStore& store) {
  store.add({.name = "matrix", .shape = {5, 7}, .init = normal_init(0.5), .matrix = true});
  store.add({.name = "bias", .shape = {7}, .init = normal_init(0.5), .decay = false});
  store.add({.name = "critic", .shape = {1, 9}, .init = normal_init(0.5), .role = SegmentRole::critic});
  store.add({.name = "frozen", .shape = {3}, .init = normal_init(0.5), .frozen = true});
  store.add({.name = "scaled", .shape = {18}, .init = normal_init(0.5), .decay = false, .lr_scale = 0.25});
  store.allocate();
  store.initialize(7);
  store.refresh();
}

struct Stored {
  ParameterStore store{kernels::Compute::float32, true};
  Stored() { fill(store); }
  at::Tensor weight(const char* name) { return store.find(name).weight(); }
  /// Adds a gradient that depends on the step, to every trained segment.
  void add_gradients(int step) {
    for (const auto& segment : store.segments()) {
      auto grad = store.find(segment.name).grad();
      if (!grad.defined()) continue;
      const auto count = at::arange(segment.count(), at::kFloat).view(segment.shape);
      grad += at::sin(count * 0.7 + step) * (step % 3 == 0 ? 5.0 : 0.05);
    }
  }
};

/// The same rule in float64, one segment at a time.
struct Reference {
  at::Tensor weight, first, second;
  void step(const at::Tensor& grad, double rate, double decay, const OptimizerConfig& config, int step) {
    weight = weight * (1 - rate * decay);
    first = config.beta1 * first + (1 - config.beta1) * grad;
    second = config.beta2 * second + (1 - config.beta2) * grad * grad;
    const auto corrected = first / (1 - std::pow(config.beta1, step));
    weight = weight - rate * corrected / ((second / (1 - std::pow(config.beta2, step))).sqrt() + config.eps);
  }
};

const OptimizerConfig kConfig = {.learning_rate = 0.01,
                                 .beta2 = 0.95,
                                 .weight_decay = 0.1,
                                 .max_grad_norm = 1.5,
                                 .schedule = {.decay = Decay::linear, .warmup_steps = 2, .floor = 0.1}};

}  // namespace

TEST_CASE("optim: AdamW with clipping, decay, schedule and per-segment rates against a float64 reference") {
  Stored stored;
  const auto frozen = stored.weight("frozen").clone();
  Optimizer optimizer(stored.store, kConfig, 20, 0.03);
  std::vector<std::pair<std::string, Reference>> references;
  for (const auto* name : {"matrix", "bias", "critic", "scaled"}) {
    const auto weight = stored.weight(name).to(at::kDouble).clone();
    references.emplace_back(name, Reference{weight, at::zeros_like(weight), at::zeros_like(weight)});
  }
  bool clipped = false, unclipped = false;
  for (int step = 0; step < 12; ++step) {
    stored.add_gradients(step);
    const auto grads = stored.store.grads().to(at::kDouble) * 0.5;
    const double norm = grads.norm().item<double>(), scale = std::min(1.0, 1.5 / (norm + 1e-6));
    for (auto& [name, reference] : references) {
      const auto& segment = stored.store.find(name).segment();
      const double peak = segment.role == SegmentRole::critic ? 0.03 : 0.01;
      reference.step(stored.store.find(name).grad().to(at::kDouble) * 0.5 * scale,
                     peak * kConfig.schedule.factor(step, 20) * segment.lr_scale, segment.decay ? 0.1 : 0.0, kConfig,
                     step + 1);
    }
    const auto report = optimizer.step(0.5);
    CHECK(report.grad_norm == doctest::Approx(norm).epsilon(1e-6));
    CHECK(report.clipped == (norm > 1.5));
    CHECK(report.learning_rate == doctest::Approx(0.01 * kConfig.schedule.factor(step, 20)));
    (report.clipped ? clipped : unclipped) = true;
    for (const auto& [name, reference] : references) CHECK(gap(stored.weight(name.c_str()), reference.weight) < 1e-6);
  }
  CHECK(clipped);
  CHECK(unclipped);
  CHECK(gap(stored.weight("frozen"), frozen) == 0.0);
  CHECK(optimizer.steps() == 12);
  CHECK(stored.store.version() == 12);
  CHECK(stored.store.grads().abs().max().item<float>() == 0.0f);
}

TEST_CASE("optim: alignment gaps stay zero and packed weights follow the update") {
  Stored stored;
  Optimizer optimizer(stored.store, kConfig, 10);
  for (int step = 0; step < 3; ++step) {
    stored.add_gradients(step);
    optimizer.step();
  }
  for (const Segment& segment : stored.store.segments()) {
    const auto begin = segment.offset + segment.count();
    const auto end = segment.end();
    if (begin == end) continue;
    CHECK(stored.store.weights().narrow(0, begin, end - begin).abs().max().item<float>() == 0.0f);
    if (segment.frozen) continue;  // behind the moments' end
    CHECK(optimizer.state()[1].second.narrow(0, begin, end - begin).abs().max().item<float>() == 0.0f);
  }
  const auto x = at::ones({2, 7}, at::kFloat);
  CHECK(gap(kernels::linear_forward(x, stored.store.find("matrix").packed()), x.mm(stored.weight("matrix").t())) <
        1e-5);
}

TEST_CASE("optim: a gradient that is not finite changes nothing, to the bit") {
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()};
  for (const float value : bad) {
    Stored stored, untouched;
    Optimizer optimizer(stored.store, kConfig, 10), twin(untouched.store, kConfig, 10);
    for (int step = 0; step < 3; ++step) {
      stored.add_gradients(step), untouched.add_gradients(step);
      optimizer.step(), twin.step();
    }
    stored.add_gradients(3);
    stored.store.find("bias").grad()[2] = value;
    const auto report = optimizer.step();
    CHECK(report.skipped);
    CHECK(!std::isfinite(report.grad_norm));
    CHECK(at::equal(stored.store.weights(), untouched.store.weights()));
    CHECK(at::equal(optimizer.state()[0].second, twin.state()[0].second));
    CHECK(at::equal(optimizer.state()[1].second, twin.state()[1].second));
    CHECK(optimizer.steps() == 3);
    CHECK(stored.store.version() == 3);
    CHECK(stored.store.grads().abs().max().item<float>() == 0.0f);

    stored.add_gradients(4), untouched.add_gradients(4);
    CHECK(!optimizer.step().skipped);
    twin.step();
    CHECK(at::equal(stored.store.weights(), untouched.store.weights()));
  }
}

TEST_CASE("optim: a run continued from saved state equals one that never stopped, to the bit") {
  Stored whole, resumed;
  Optimizer first(whole.store, kConfig, 10);
  for (int step = 0; step < 4; ++step) whole.add_gradients(step), first.step();
  resumed.store.weights().copy_(whole.store.weights());
  resumed.store.refresh();
  Optimizer second(resumed.store, kConfig, 10);
  for (std::size_t i = 0; i < first.state().size(); ++i) second.state()[i].second.copy_(first.state()[i].second);
  second.set_steps(first.steps());
  for (int step = 4; step < 8; ++step) {
    whole.add_gradients(step), resumed.add_gradients(step);
    first.step(), second.step();
  }
  CHECK(at::equal(whole.store.weights(), resumed.store.weights()));
  CHECK(second.learning_rate() == first.learning_rate());
}

TEST_CASE("optim: the update does not depend on the number of threads") {
  const auto run = [](int count) {
    set_threads(count);
    Stored stored;
    Optimizer optimizer(stored.store, kConfig, 10);
    for (int step = 0; step < 5; ++step) stored.add_gradients(step), optimizer.step();
    return stored.store.weights().clone();
  };
  const int before = threads();
  CHECK(at::equal(run(1), run(2)));
  set_threads(before);
}

TEST_CASE("optim: gradients accumulated in parts equal those taken at once") {
  Stored whole, parts;
  Optimizer a(whole.store, kConfig, 10), b(parts.store, kConfig, 10);
  for (int step = 0; step < 3; ++step) {
    whole.add_gradients(step);
    whole.store.grads().mul_(4.0);
    for (int part = 0; part < 4; ++part) parts.add_gradients(step);
    CHECK(a.step(0.25).grad_norm == doctest::Approx(b.step(0.25).grad_norm).epsilon(1e-6));
  }
  CHECK(gap(whole.store.weights(), parts.store.weights()) < 1e-6);
}

TEST_CASE("optim: learning rate 0 leaves the weights, and no clipping means none") {
  Stored stored;
  OptimizerConfig config = kConfig;
  config.learning_rate = 0;
  config.max_grad_norm = 0;
  Optimizer optimizer(stored.store, config, 10);
  const auto before = stored.store.weights().clone();
  stored.add_gradients(0);
  const auto report = optimizer.step();
  CHECK(report.grad_norm > 10);
  CHECK(!report.clipped);
  CHECK(at::equal(stored.store.weights(), before));
}

TEST_CASE("optim: AdamW reaches the target of the golden case") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto golden = golden_case(folder, "schedules_optim.json", "hf_adamw_converges");
  const auto& inputs = golden.at("inputs");
  ParameterStore store(kernels::Compute::float32, true);
  const auto w = store.add({.name = "w", .shape = {3}});
  store.allocate();
  w.weight().copy_(tensor_of(inputs.at("w0")));
  Optimizer optimizer(store, {.learning_rate = inputs.at("lr").as_number(), .max_grad_norm = 0}, 100);
  const auto target = tensor_of(inputs.at("target")).to(at::kFloat);
  for (std::int64_t step = 0; step < inputs.at("steps").as_integer(); ++step) {
    w.grad() += 2.0 / 3.0 * (w.weight() - target);
    optimizer.step();
  }
  CHECK(gap(w.weight(), tensor_of(golden.at("expected"))) < golden.at("tol").as_number());
}
