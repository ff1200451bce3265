#include "nn/attention.h"
#include "nn/heads.h"
#include "nn/layers.h"

#include <cmath>

#include "kernels/activation/activation.h"
#include "kernels/rotary/rotary.h"
#include "nn/layer_oracle.h"

using namespace hone;
using namespace hone::test;

namespace {

using Tensors = std::vector<at::Tensor>;
constexpr kernels::Compute both_computes[] = {kernels::Compute::float32, kernels::Compute::bfloat16};
constexpr double eps = 1e-6;
constexpr double theta = 10000;

const at::Tensor ids = int_tensor({3, 1, 4, 1, 5, 9, 2, 6, 5, 3});

}  // namespace

TEST_CASE("nn: embedding equals plain operators") {
  Parameters parameters(kernels::Compute::float32);
  const Parameter weight = parameters.matrix("embedding", 12, 8);
  parameters.ready();
  const Result ours =
      run_layer(parameters, {weight}, {}, [&](const Tensors&) -> Tensors { return {embedding(ids, weight)}; });
  const Result plain = run_plain({weight}, {}, [&](const Tensors&, const Tensors& w) -> Tensors {
    return {w[0].index_select(0, ids.to(at::kLong))};
  });
  check_same(ours, plain, kernels::Compute::float32);
}

TEST_CASE("nn: linear equals plain operators, with and without a bias") {
  for (const kernels::Compute compute : both_computes) {
    for (const bool with_bias : {false, true}) {
      Parameters parameters(compute);
      std::vector<Parameter> used{parameters.matrix("weight", 24, 16)};
      if (with_bias) used.push_back(parameters.vector("bias", 24));
      parameters.ready();
      const Tensors inputs{random_tensor({7, 16}, 1)};
      const Result ours = run_layer(parameters, used, inputs, [&](const Tensors& x) -> Tensors {
        return {linear(x[0], used[0], with_bias ? used[1] : Parameter())};
      });
      const Result plain = run_plain(used, inputs, [&](const Tensors& x, const Tensors& w) -> Tensors {
        const at::Tensor y = at::matmul(x[0], w[0].t());
        return {with_bias ? y + w[1] : y};
      });
      check_same(ours, plain, compute);
    }
  }
}

TEST_CASE("nn: residual and norm equal plain operators; both outputs carry gradients") {
  for (const bool with_residual : {false, true}) {
    CAPTURE(with_residual);
    Parameters parameters(kernels::Compute::float32);
    const Parameter weight = parameters.vector("norm", 16);
    parameters.ready();
    Tensors inputs{random_tensor({9, 16}, 1)};
    if (with_residual) inputs.push_back(random_tensor({9, 16}, 2));
    const Result ours = run_layer(parameters, {weight}, inputs, [&](const Tensors& x) -> Tensors {
      const Normed normed = add_norm(x[0], with_residual ? x[1] : at::Tensor(), {.weight_D = weight, .eps = eps});
      return {normed.sum_TD, normed.out_TD};
    });
    const Result plain = run_plain({weight}, inputs, [&](const Tensors& x, const Tensors& w) -> Tensors {
      const at::Tensor sum = with_residual ? x[0] + x[1] : x[0];
      return {sum, plain_rms_norm(sum, w[0], eps)};
    });
    check_same(ours, plain, kernels::Compute::float32);
  }
}

TEST_CASE("nn: rotary attention equals plain operators: grouped heads, windows, ragged lengths, q/k norms") {
  const kernels::AttentionShape shape{4, 2, 8};
  for (const bool with_norms : {false, true}) {
    for (const std::int64_t window : {0, 5}) {
      CAPTURE(with_norms);
      CAPTURE(window);
      Parameters parameters(kernels::Compute::float32);
      std::vector<Parameter> used;
      if (with_norms) used = {parameters.vector("query_norm", 8), parameters.vector("key_norm", 8)};
      parameters.ready();
      const kernels::AttentionPlan plan = plan_of({1, 34, 7}, kernels::AttentionKind::causal, window);
      const Tensors inputs{random_tensor({42, shape.fused_width()}, 3)};
      const Attention config{.shape = shape,
                             .window = window,
                             .rotary_table_P2H = kernels::rotary_table(64, 8, theta),
                             .query_norm_D = with_norms ? used[0] : Parameter(),
                             .key_norm_D = with_norms ? used[1] : Parameter(),
                             .norm_eps = eps};
      const Result ours = run_layer(parameters, used, inputs, [&](const Tensors& x) -> Tensors {
        return {attention(x[0], config, plan, nullptr, 0)};
      });
      const Result plain = run_plain(used, inputs, [&](const Tensors& x, const Tensors& w) -> Tensors {
        const at::Tensor heads = x[0].view({42, -1, 8});
        at::Tensor query = heads.slice(1, 0, 4), key = heads.slice(1, 4, 6);
        if (with_norms) {
          query = plain_rms_norm(query, w[0], eps);
          key = plain_rms_norm(key, w[1], eps);
        }
        const at::Tensor rotated = at::cat(
            {plain_rotary(query, plan.position_T, theta), plain_rotary(key, plan.position_T, theta), heads.slice(1, 6)},
            1);
        return {plain_attention(rotated.reshape({42, -1}), shape, plan)};
      });
      check_same(ours, plain, kernels::Compute::float32);
    }
  }
}

TEST_CASE("nn: gated MLP equals plain operators") {
  for (const kernels::Compute compute : both_computes) {
    Parameters parameters(compute);
    const std::vector<Parameter> used{parameters.matrix("gate_up", 2 * 24, 16), parameters.matrix("down", 16, 24)};
    parameters.ready();
    const Tensors inputs{random_tensor({11, 16}, 4)};
    const Result ours = run_layer(parameters, used, inputs,
                                  [&](const Tensors& x) -> Tensors { return {mlp(x[0], {.in_FD = used[0], .out_DF = used[1]})}; });
    const Result plain = run_plain(used, inputs, [&](const Tensors& x, const Tensors& w) -> Tensors {
      return {at::matmul(plain_swiglu(at::matmul(x[0], w[0].t()), 24), w[1].t())};
    });
    check_same(ours, plain, compute);
  }
}

TEST_CASE("nn: a gated MLP that rounds early has the bits of its parts one by one in float32") {
  for (const kernels::Compute compute : both_computes) {
    for (const int biases : {0, 1, 2}) {
      CAPTURE(biases);
      constexpr std::int64_t width = 23, rows = 37;
      Parameters parameters(compute);
      std::vector<Parameter> used{parameters.matrix("gate_up", 2 * width, 19), parameters.matrix("down", 19, width)};
      if (biases > 0) used.push_back(parameters.vector("down_bias", 19));
      if (biases > 1) used.push_back(parameters.vector("gate_up_bias", 2 * width));
      parameters.ready();
      const Parameter down_bias = biases > 0 ? used[2] : Parameter();
      const Parameter gate_up_bias = biases > 1 ? used[3] : Parameter();
      const Tensors inputs{random_tensor({rows, 19}, 14)};
      const Mlp config{.in_FD = used[0], .in_bias_F = gate_up_bias, .out_DF = used[1], .out_bias_D = down_bias};
      const auto whole = [&](const Tensors& x) -> Tensors { return {mlp(x[0], config)}; };
      const Result ours = run_layer(parameters, used, inputs, whole);
      const auto parts = [&](const Tensors& x) -> Tensors {
        const at::Tensor gate_up = linear(x[0], used[0], gate_up_bias);
        const at::Tensor active = kernels::gated_forward(gate_up.detach(), config.activation).requires_grad_(true);
        const at::Tensor y = linear(active, used[1], down_bias);
        y.backward(random_tensor(y.sizes(), 1000));  // as run_layer weighs the first output
        gate_up.backward(kernels::gated_backward(active.grad(), gate_up.detach(), config.activation));
        return {y.detach()};
      };
      const Result plain = run_layer(parameters, used, inputs, parts);
      CHECK(same_bits(ours.outputs[0].detach(), plain.outputs[0]));
      CHECK(same_bits(ours.input_grads[0], plain.input_grads[0]));
      for (std::size_t i = 0; i < used.size(); ++i) CHECK(same_bits(ours.parameter_grads[i], plain.parameter_grads[i]));
      const at::NoGradGuard no_grad;
      CHECK(same_bits(mlp(inputs[0], config), plain.outputs[0]));
    }
  }
}

TEST_CASE("nn: head, log-softmax, gather and entropy equal plain operators at any temperature") {
  const at::Tensor target_M = at::tensor({3L, 0L, 19L, 7L, 7L}, at::kLong);
  for (const kernels::Compute compute : both_computes) {
    for (const double inverse_temperature : {1.0, 1.25}) {
      Parameters parameters(compute);
      const Parameter weight = parameters.matrix("head", 20, 16);
      parameters.ready();
      const Tensors inputs{random_tensor({5, 16}, 5)};
      const Result ours = run_layer(parameters, {weight}, inputs, [&](const Tensors& x) -> Tensors {
        const kernels::TokenStatistics tokens = LmHead({.weight_VD = weight}).token_statistics(x[0], target_M, inverse_temperature, true);
        return {tokens.logprob_M, tokens.entropy_M};
      });
      const Result plain = run_plain({weight}, inputs, [&](const Tensors& x, const Tensors& w) -> Tensors {
        const at::Tensor logprob_MV = at::log_softmax(at::matmul(x[0], w[0].t()) * inverse_temperature, 1);
        return {logprob_MV.gather(1, target_M.unsqueeze(1)).squeeze(1), -(logprob_MV.exp() * logprob_MV).sum(1)};
      });
      check_same(ours, plain, compute);
    }
  }
}

TEST_CASE("nn: a tied matrix collects the gradients of embedding and head") {
  const at::Tensor target_T = at::remainder(ids.to(at::kLong) * 5 + 1, 12);
  for (const bool tied : {true, false}) {
    CAPTURE(tied);
    Parameters parameters(kernels::Compute::float32);
    std::vector<Parameter> used{parameters.matrix("embedding", 12, 8)};
    if (!tied) used.push_back(parameters.matrix("head", 12, 8));
    parameters.ready();
    const Result ours = run_layer(parameters, used, {}, [&](const Tensors&) -> Tensors {
      return {LmHead({.weight_VD = used.back()}).token_statistics(embedding(ids, used[0]), target_T, 1.0, false).logprob_M};
    });
    const Result plain = run_plain(used, {}, [&](const Tensors&, const Tensors& w) -> Tensors {
      const at::Tensor hidden = w[0].index_select(0, ids.to(at::kLong));
      return {at::log_softmax(at::matmul(hidden, w.back().t()), 1).gather(1, target_T.unsqueeze(1)).squeeze(1)};
    });
    check_same(ours, plain, kernels::Compute::float32);
  }
}

TEST_CASE("nn: rows are taken with their gradients, repeated ones added up") {
  Parameters parameters(kernels::Compute::float32);
  parameters.vector("unused", 1);
  parameters.ready();
  const at::Tensor row_M = at::tensor({4L, 0L, 4L, 2L}, at::kLong);
  const Tensors inputs{random_tensor({6, 3}, 6)};
  check_same(
      run_layer(parameters, {}, inputs, [&](const Tensors& x) -> Tensors { return {take_rows(x[0], row_M)}; }),
      run_plain({}, inputs, [&](const Tensors& x, const Tensors&) -> Tensors { return {x[0].index_select(0, row_M)}; }),
      kernels::Compute::float32);
}

TEST_CASE("nn: dropout scales what it keeps, and its gradient has the same mask") {
  const at::Tensor x = random_tensor({200, 50}, 7).abs() + 0.1;
  const at::Tensor leaf = x.clone().requires_grad_(true);
  const at::Tensor out = hone::dropout(leaf, 0.3, 42);
  const at::Tensor mask = (out.detach() != 0).to(at::kFloat);
  CHECK(mask.mean().item<double>() == doctest::Approx(0.7).epsilon(0.03));
  CHECK(relative_error(out.detach(), x * mask / 0.7) <= 1e-6);
  out.sum().backward();
  CHECK(relative_error(leaf.grad(), mask / 0.7) <= 1e-6);
  CHECK(same_bits(hone::dropout(x, 0.3, 42), out.detach()));
  CHECK(!same_bits(hone::dropout(x, 0.3, 43), out.detach()));
  CHECK(same_bits(hone::dropout(x, 0, 42), x));
}

TEST_CASE("nn: a frozen parameter passes gradients on and keeps none") {
  Parameters parameters(kernels::Compute::float32);
  const Parameter first = parameters.matrix("first", 8, 8);
  const Parameter second = parameters.matrix("second", 8, 8);
  parameters.store.segments()[1].frozen = true;
  parameters.ready();
  const at::Tensor x = random_tensor({4, 8}, 8).requires_grad_(true);
  linear(linear(x, first), second).sum().backward();
  CHECK(!second.grad().defined());
  CHECK(first.grad().abs().sum().item<double>() > 0);
  CHECK(x.grad().abs().sum().item<double>() > 0);
  CHECK(parameters.store.grads().size(0) == 64);
}

TEST_CASE("nn: without gradients no layer leaves a node behind") {
  Parameters parameters(kernels::Compute::float32);
  const Parameter weight = parameters.matrix("weight", 8, 8);
  parameters.ready();
  const at::NoGradGuard no_grad;
  CHECK(!embedding(ids.slice(0, 0, 2), weight).requires_grad());
  CHECK(!linear(random_tensor({2, 8}, 9).requires_grad_(true), weight).requires_grad());
}
