#include "io/safetensors.h"
#include "policies/architectures.h"
#include "support/scratch.h"
#include "text/byte_tokenizer.h"

using namespace hone;
using namespace hone::test;

namespace {

std::unique_ptr<Model> open_to_compute(const std::filesystem::path& directory, kernels::Compute compute) {
  const std::unique_ptr<PolicySpec> spec = read_policy_spec(directory, policy_table());
  auto model = std::make_unique<Model>(*spec, read_head_plan(directory), compute, WeightUse::compute);
  load_weights(*model, directory);
  return model;
}

/// A llama of two layers whose matrices are large enough that rounding up to panels and cache lines is small beside them.
LlamaSpec small_llama(bool tied) {
  LlamaSpec spec;
  spec.vocabulary_size = 2048;
  spec.hidden = 256;
  spec.layers = 2;
  spec.heads = 4;
  spec.mlp = 512;
  spec.context = 64;
  spec.tied_embeddings = tied;
  return spec;
}

double file_bytes(const std::filesystem::path& directory) {
  double bytes = 0;
  for (const TensorView& view : Safetensors::open(directory).tensors()) bytes += static_cast<double>(view.bytes.size());
  return bytes;
}

}  // namespace

TEST_CASE("policies: a model that only computes gives the bits of one that trains, for every architecture") {
  for (const kernels::Compute compute : {kernels::Compute::float32, kernels::Compute::bfloat16}) {
    CAPTURE(static_cast<int>(compute));
    for_each_model({"llama_rope", "phi3", "gemma", "gpt2", "gpt_neox", "moe", "bert", "roberta", "distilbert", "modernbert"},
                   [&](const std::string&, const Json& golden) {
                     const at::NoGradGuard no_grad;
                     const std::filesystem::path place = golden_checkpoint(golden.at("checkpoint").as_string());
                     const std::unique_ptr<Model> trained = open_model(place, compute);
                     const std::unique_ptr<Model> computing = open_to_compute(place, compute);
                     const Ids ids{1, 5, 3, 2, 7};
                     const at::Tensor hidden_TD = hidden_of(*computing, {ids});
                     CHECK(same_bits(hidden_TD, hidden_of(*trained, {ids})));
                     if (trained->score) CHECK(same_bits((*computing->score)(hidden_TD), (*trained->score)(hidden_TD)));
                     if (!trained->policy->lm_head().defined()) return;
                     CHECK(same_bits(logits_of(*computing, hidden_TD), logits_of(*trained, hidden_TD)));
                   });
  }
}

TEST_CASE("policies: a model that only computes takes at most 1.1 times the bytes of its checkpoint") {
  const Scratch scratch;
  const std::unique_ptr<Tokenizer> tokenizer = byte_tokenizer();
  for (const bool tied : {true, false}) {
    Model model(small_llama(tied), HeadPlan{}, kernels::Compute::float32, WeightUse::keep);
    model.store.initialize(3);
    for (const DType stored : {DType::f32, DType::bf16}) {
      CAPTURE(tied);
      CAPTURE(dtype_name(stored));
      const std::filesystem::path place = scratch.path() / fmt::format("{}-{}", tied, dtype_name(stored));
      save_model_directory(model, *tokenizer, place, {.weights = {.stored = stored}});
      const auto compute = stored == DType::bf16 ? kernels::Compute::bfloat16 : kernels::Compute::float32;
      const std::unique_ptr<Model> computing = open_to_compute(place, compute);
      CHECK(static_cast<double>(computing->store.held_bytes()) <= 1.1 * file_bytes(place));
      const std::unique_ptr<Model> trained = open_model(place, compute);
      CHECK(same_bits(logits_of(*computing, Ids{1, 2, 3}), logits_of(*trained, Ids{1, 2, 3})));
    }
  }
}

TEST_CASE("policies: a trained model keeps no packed copy of a table that multiplies nothing") {
  const LlamaSpec tied = small_llama(true);
  const LlamaSpec apart = small_llama(false);
  const Model with_tied(tied, HeadPlan{}, kernels::Compute::bfloat16, WeightUse::train);
  const Model with_both(apart, HeadPlan{}, kernels::Compute::bfloat16, WeightUse::train);
  CHECK(with_tied.store.packed_bytes() == with_both.store.packed_bytes());
}
