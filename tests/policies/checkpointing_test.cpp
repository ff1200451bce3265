#include "policies/architectures.h"

using namespace hone;
using namespace hone::test;

namespace {

struct Gradients {
  at::Tensor hidden_TD, all;
  std::vector<at::Tensor> router_logits;
};

/// Of a weighted sum of hidden states with dropout, over two packed sequences.
Gradients gradients(Model& model, bool checkpointing) {
  constexpr double dropout = 0.2;
  constexpr std::uint64_t key = 99;
  model.store.set_gradient_checkpointing(checkpointing);
  model.store.zero_grads();
  const Ids ids{1, 5, 3, 2, 7, 4, 6, 8, 2};
  const kernels::AttentionPlan plan = plan_of({5, 4});
  Gradients result;
  Forward forward{.plan = &plan, .dropout = dropout, .dropout_key = key};
  if (model.policy->shape().balance > 0) forward.router_logits = &result.router_logits;
  if (model.policy->shape().kind == PolicyKind::encoder_decoder) {
    const at::Tensor encoded_UD = model.policy->encode(int_tensor(ids), forward);
    kernels::AttentionPlan cross;
    cross.start_S1 = cross.key_start_S1 = plan.start_S1;
    const SourceSide source{.encoded_UD = encoded_UD, .plan = &cross};
    forward.source = &source;
    result.hidden_TD = model.policy->hidden(int_tensor(ids), forward);
  } else {
    result.hidden_TD = model.policy->hidden(int_tensor(ids), forward);
  }
  at::Tensor loss = (result.hidden_TD * random_tensor(result.hidden_TD.sizes(), 4)).sum();
  for (const at::Tensor& logits_TE : result.router_logits) loss = loss + logits_TE.square().mean();
  loss.backward();
  result.all = model.store.grads().clone();
  return result;
}

void check_same_gradients(const std::string& checkpoint) {
  for (const kernels::Compute compute : {kernels::Compute::float32, kernels::Compute::bfloat16}) {
    const std::unique_ptr<Model> model = open_model(golden_checkpoint(checkpoint), compute);
    const Gradients plain = gradients(*model, false);
    const Gradients again = gradients(*model, true);
    CHECK(same_bits(again.hidden_TD.detach(), plain.hidden_TD.detach()));
    CHECK(same_bits(again.all, plain.all));
    CHECK(again.router_logits.size() == plain.router_logits.size());
    CHECK(plain.all.abs().max().item<float>() > 0);
  }
}

}  // namespace

TEST_CASE("policies: gradient checkpointing changes no bit of any gradient, for every architecture") {
  for_each_model({"llama_rope", "phi3", "gemma", "gpt2", "gpt_neox", "moe", "bert", "roberta", "distilbert", "modernbert"},
                 [](const std::string&, const Json& golden) { check_same_gradients(golden.at("checkpoint").as_string()); });
}

TEST_CASE("policies: gradient checkpointing changes no bit of T5's gradients, through the decoder and the encoder") {
  for (const char* name : {"t5_flan"}) check_same_gradients(name);
}
