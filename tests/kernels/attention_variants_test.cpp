#include <cmath>
#include <vector>

#include "kernels/attention/attention_cpu.h"
#include "kernels/attention_oracle.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

using RowsKernel = void(const AttentionArguments&, const AttentionSequence&, std::int64_t, std::int64_t, std::int64_t);
using BackwardKernel = void(const AttentionGradient&, const AttentionGradientUnit&, float*);

constexpr std::int64_t rows = 45;
const AttentionShape shape{4, 2, 20};

struct Outcome {
  at::Tensor out;
  at::Tensor dqkv;
};

/// One sequence of 45 tokens, forward and backward, by the kernels of one variant.
Outcome run(RowsKernel* store, RowsKernel* attend, BackwardKernel* backward, const at::Tensor& qkv,
            const at::Tensor& dout, const AttentionPlan& plan) {
  Outcome result{at::empty({rows, shape.query_width()}), at::empty({rows, shape.fused_width()})};
  const at::Tensor lse = at::empty({rows, shape.heads});
  const KvPages pages = make_kv_pages(2, shape);
  std::vector<float> scratch(
      static_cast<std::size_t>(2 * kv_page * shape.head_dim + shape.heads / shape.kv_heads * rows));
  const std::vector<std::int32_t> page{1, 0};
  const AttentionSequence sequence{0, rows, 0, 0, rows, page.data()};
  AttentionArguments arguments{};
  arguments.heads = shape.heads;
  arguments.kv_heads = shape.kv_heads;
  arguments.head_dim = shape.head_dim;
  arguments.causal = true;
  arguments.scale = static_cast<float>(1 / std::sqrt(20.0));
  arguments.soft_cap = static_cast<float>(plan.soft_cap);
  if (plan.bias_HR.defined()) {
    arguments.bias = plan.bias_HR.const_data_ptr<float>();
    arguments.bias_reach = plan.bias_HR.size(1) / 2;
  }
  arguments.query = qkv.const_data_ptr<float>();
  arguments.key = arguments.query + shape.query_width();
  arguments.value = arguments.key + shape.kv_heads * shape.head_dim;
  arguments.query_stride = arguments.key_stride = shape.fused_width();
  arguments.keys = pages.key_PHDB.data_ptr<float>();
  arguments.values = pages.value_PHBD.data_ptr<float>();
  arguments.out = result.out.data_ptr<float>();
  arguments.lse = lse.data_ptr<float>();
  float* dqkv = result.dqkv.data_ptr<float>();
  const AttentionGradient gradient{arguments, dout.const_data_ptr<float>(), dqkv, dqkv + shape.query_width(),
                                   dqkv + shape.query_width() + shape.kv_heads * shape.head_dim};
  for (std::int64_t head = 0; head < shape.kv_heads; ++head) {
    store(arguments, sequence, head, 0, rows);
    attend(arguments, sequence, head, 0, 32);
    attend(arguments, sequence, head, 32, rows);
    backward(gradient, {&sequence, head, 0, rows, 0, rows, true, true, nullptr}, scratch.data());
  }
  return result;
}

}  // namespace

TEST_CASE("kernels: every variant of attention is stable and close to the others") {
  const at::Tensor qkv = random_tensor({rows, shape.fused_width()}, 1);
  const at::Tensor dout = random_tensor({rows, shape.query_width()}, 2);
  const auto stores = HONE_VARIANTS(attention_store);
  const auto attends = HONE_VARIANTS(attention_attend);
  const auto backwards = HONE_VARIANTS(attention_backward_unit);
  for (const bool shaped : {false, true}) {
    AttentionPlan plan = plan_of({rows});
    if (shaped) plan.soft_cap = 1.5;
    if (shaped) plan.bias_HR = random_tensor({shape.heads, 41}, 3);
    const Outcome narrowest = run(stores[0], attends[0], backwards[0], qkv, dout, plan);
    CHECK(relative_error(narrowest.out, plain_attention(qkv.to(at::kDouble), shape, plan)) < 1e-5);
    for (std::size_t v = 0; v < stores.size(); ++v) {
      const Outcome once = run(stores[v], attends[v], backwards[v], qkv, dout, plan);
      const Outcome again = run(stores[v], attends[v], backwards[v], qkv, dout, plan);
      CHECK(same_bits(once.out, again.out));
      CHECK(same_bits(once.dqkv, again.dqkv));
      CHECK(relative_error(once.out, narrowest.out) < 1e-5);
      CHECK(relative_error(once.dqkv, narrowest.dqkv) < 1e-5);
    }
  }
}
