#include "nn/lora.h"

#include "nn/layer_oracle.h"
#include "support/error_of.h"

using namespace hone;
using namespace hone::test;

namespace {

using Tensors = std::vector<at::Tensor>;

/// A block's fused q, k, v with adapters, every value of which is random.
struct Adapted {
  explicit Adapted(const LoraConfig& config) : parameters(kernels::Compute::float32) {
    matrix = parameters.store.add({.name = "layers.0.qkv",
                                   .shape = {12, 10},
                                   .parts = {{"model.layers.0.q_proj.weight", 6, {}},
                                             {"model.layers.0.k_proj.weight", 3, {}},
                                             {"model.layers.0.v_proj.weight", 3, {}}},
                                   .init = normal_init(0.3),
                                   .matrix = true});
    bias = parameters.store.add({.name = "layers.0.qkv_bias",
                                 .shape = {12},
                                 .parts = {{"model.layers.0.q_proj.bias", 12, {}}},
                                 .init = normal_init(0.5)});
    attach_lora(parameters.store, config);
    parameters.store.allocate();
    parameters.store.initialize(17);
    const at::NoGradGuard no_grad;
    for (const LowRankAdapter& adapter : matrix.adapters()) {
      adapter.b_NR.weight().copy_(random_tensor(adapter.b_NR.weight().sizes(), 5 + static_cast<std::uint64_t>(adapter.first_row)));
      if (adapter.magnitude_N.defined()) adapter.magnitude_N.weight().copy_(at::linspace(0.5, 2, adapter.rows));
    }
    parameters.store.refresh();
  }

  /// The matrix that the adapters stand for, in plain operators over leaves A, B (and m) of each.
  at::Tensor merged(const Tensors& leaves) const {
    at::Tensor whole = matrix.weight().to(at::kDouble);
    std::size_t next = 0;
    std::vector<at::Tensor> rows;
    std::int64_t row = 0;
    for (const LowRankAdapter& adapter : matrix.adapters()) {
      if (adapter.first_row > row) rows.push_back(whole.slice(0, row, adapter.first_row));
      row = adapter.first_row + adapter.rows;
      const at::Tensor update = adapter.scale * leaves[next + 1].matmul(leaves[next]);
      at::Tensor changed = whole.slice(0, adapter.first_row, row) + update;
      next += 2;
      if (adapter.magnitude_N.defined()) {
        const at::Tensor norm = at::linalg_vector_norm(changed.detach(), 2, at::IntArrayRef{1});
        changed = changed * (leaves[next++] / norm).unsqueeze(1);
      }
      rows.push_back(changed);
    }
    if (row < whole.size(0)) rows.push_back(whole.slice(0, row));
    return at::cat(rows);
  }

  std::vector<Parameter> trained() const {
    std::vector<Parameter> list;
    for (const LowRankAdapter& adapter : matrix.adapters()) {
      list.push_back(adapter.a_RK);
      list.push_back(adapter.b_NR);
      if (adapter.magnitude_N.defined()) list.push_back(adapter.magnitude_N);
    }
    return list;
  }

  Parameters parameters;
  Parameter matrix, bias;
};

const at::Tensor input = random_tensor({7, 10}, 3);

void check_against_plain(const LoraConfig& config) {
  Adapted adapted(config);
  const std::vector<Parameter> used = adapted.trained();
  const Result ours = run_layer(adapted.parameters, used, {input},
                                [&](const Tensors& x) -> Tensors { return {linear(x[0], adapted.matrix, adapted.bias)}; });
  const Result plain = run_plain(used, {input}, [&](const Tensors& x, const Tensors& w) -> Tensors {
    return {x[0].matmul(adapted.merged(w).t()) + adapted.bias.weight().to(at::kDouble)};
  });
  check_same(ours, plain, kernels::Compute::float32);
}

}  // namespace

TEST_CASE("nn: adapters compute and learn what the merged matrix does") {
  check_against_plain({.rank = 2, .alpha = 8});
  check_against_plain({.rank = 3, .alpha = 4, .targets = {"q_proj", "v_proj"}, .rslora = true});
  check_against_plain({.rank = 2, .alpha = 8, .dora = true});
  check_against_plain({.rank = 2, .alpha = 8, .targets = {"model.layers.*.k_proj"}, .dora = true});
}

TEST_CASE("nn: an adapter on a whole matrix leaves the gradient of a residual connection beside it alone") {
  Parameters parameters(kernels::Compute::float32);
  const Parameter matrix = parameters.store.add({.name = "layers.0.o",
                                                 .shape = {10, 10},
                                                 .parts = {{"model.layers.0.o_proj.weight", 10, {}}},
                                                 .init = normal_init(0.3),
                                                 .matrix = true});
  attach_lora(parameters.store, {.rank = 2, .alpha = 8});
  parameters.store.allocate();
  parameters.store.initialize(17);
  parameters.store.refresh();
  const LowRankAdapter& adapter = matrix.adapters().at(0);
  const Result ours = run_layer(parameters, {adapter.a_RK, adapter.b_NR}, {input},
                                [&](const Tensors& x) -> Tensors { return {x[0] + linear(x[0], matrix)}; });
  const Result plain = run_plain({adapter.a_RK, adapter.b_NR}, {input}, [&](const Tensors& x, const Tensors& w) -> Tensors {
    return {x[0] + x[0].matmul((matrix.weight().to(at::kDouble) + adapter.scale * w[1].matmul(w[0])).t())};
  });
  check_same(ours, plain, kernels::Compute::float32);
}

TEST_CASE("nn: a new adapter changes nothing, its base is frozen and has no place for gradients") {
  for (const bool dora : {false, true}) {
    Parameters plain(kernels::Compute::float32);
    const Parameter alone = plain.matrix("layers.0.qkv", 12, 10);
    plain.ready();
    Parameters parameters(kernels::Compute::float32);
    const Parameter matrix = parameters.store.add({.name = "layers.0.qkv",
                                                   .shape = {12, 10},
                                                   .parts = {{"model.layers.0.o_proj.weight", 12, {}}},
                                                   .init = normal_init(0.3),
                                                   .matrix = true});
    attach_lora(parameters.store, {.rank = 2, .dora = dora});
    parameters.store.allocate();
    parameters.store.initialize(17);
    initialize_magnitudes(parameters.store);
    parameters.store.refresh();
    CHECK(relative_error(linear(input, matrix), linear(input, alone)) <= (dora ? 1e-6 : 0.0));
    CHECK(!matrix.grad().defined());
    CHECK(parameters.store.trained_parameters() == 2 * 10 + 12 * 2 + (dora ? 12 : 0));
    CHECK(parameters.store.grads().size(0) < 120);
  }
}

TEST_CASE("nn: merged adapters leave the outputs as they were and nothing in the adapters") {
  for (const bool dora : {false, true}) {
    Adapted adapted({.rank = 2, .alpha = 8, .dora = dora});
    const at::Tensor before = linear(input, adapted.matrix, adapted.bias);
    merge_adapters(adapted.parameters.store);
    CHECK(relative_error(linear(input, adapted.matrix, adapted.bias), before) <= 1e-5);
    for (const LowRankAdapter& adapter : adapted.matrix.adapters()) {
      CHECK(adapter.b_NR.weight().abs().max().item<double>() == 0);
    }
  }
}

TEST_CASE("nn: rows with adapters depend on themselves alone, and dropout falls on the adapters' inputs only") {
  Adapted adapted({.rank = 2, .alpha = 8, .dropout = 0.5});
  const at::Tensor whole = linear(input, adapted.matrix, adapted.bias);
  CHECK(same_bits(linear(input.narrow(0, 3, 1).contiguous(), adapted.matrix, adapted.bias), whole.narrow(0, 3, 1)));
  adapted.parameters.store.use_adapters({.dropout = 0.5, .dropout_key = 9});
  const at::Tensor dropped = linear(input, adapted.matrix, adapted.bias);
  CHECK(!same_bits(dropped, whole));
  CHECK(same_bits(linear(input, adapted.matrix, adapted.bias), dropped));
  for (const LowRankAdapter& adapter : adapted.matrix.adapters()) adapter.b_NR.weight().zero_();
  adapted.parameters.store.refresh_adapters();
  adapted.parameters.store.use_adapters({});
  const at::Tensor base = linear(input, adapted.matrix, adapted.bias);
  adapted.parameters.store.use_adapters({.dropout = 0.5, .dropout_key = 9});
  CHECK(same_bits(linear(input, adapted.matrix, adapted.bias), base));
}

TEST_CASE("nn: module patterns name whole components") {
  CHECK(names_module("q_proj", "model.layers.0.self_attn.q_proj"));
  CHECK(!names_module("proj", "model.layers.0.self_attn.q_proj"));
  CHECK(names_module("model.layers.*.self_attn.*", "model.layers.0.self_attn.q_proj"));
  CHECK(names_module("self_attn.q_proj", "model.layers.0.self_attn.q_proj"));
  CHECK(!names_module("layers.1.*", "model.layers.0.self_attn.q_proj"));
  HONE_CHECK_ERROR(config, Adapted({.rank = 2, .targets = {"gate_proj"}}), "model.lora.targets", "gate_proj", "q_proj");
}

TEST_CASE("nn: layers are frozen by the names of their tensors") {
  const auto frozen = [](const std::vector<std::string>& patterns) {
    Parameters parameters(kernels::Compute::float32);
    for (const char* layer : {"0", "1"}) {
      const std::string hf = std::string("model.layers.") + layer;
      parameters.store.add({.name = std::string("layers.") + layer + ".qkv",
                            .shape = {4, 2},
                            .parts = {{hf + ".q_proj.weight", 2, {}}, {hf + ".k_proj.weight", 2, {}}},
                            .matrix = true});
    }
    freeze_segments(parameters.store, patterns);
    std::string found;
    for (const Segment& segment : parameters.store.segments()) found += segment.frozen ? '1' : '0';
    return found;
  };
  CHECK(frozen({"model.layers.0.*"}) == "10");
  CHECK(frozen({"*"}) == "11");
  HONE_CHECK_ERROR(config, frozen({"model.layers.2.*"}), "model.freeze", "model.layers.2.*", "model.layers.1.q_proj.weight");
  HONE_CHECK_ERROR(config, frozen({"*.q_proj.weight"}), "q_proj.weight", "k_proj.weight", "freeze both");
}
