#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nn/policy.h"
#include "nn/rope.h"

namespace hone {

/// One attention layer's reach.
struct DecoderLayer {
  std::int64_t window = 0;  ///< 0: everything before
  std::size_t rope = 0;     ///< index into DecoderForm::ropes
  bool sparse = false;      ///< a mixture of experts instead of one MLP
};

/// How the family's files call the experts of a layer: "<module>.experts.<e>.<gate>.weight".
struct ExpertNames {
  std::string module = "mlp";
  std::string router = "gate";
  std::string gate = "gate_proj", up = "up_proj", down = "down_proj";
};

/// What decoders with RMS norms, rotary embeddings and gated MLPs differ in. Families (llama, phi3, gemma, moe) translate
/// their configuration into it.
struct DecoderForm {
  std::string hf_family;  ///< "Llama" of LlamaForCausalLM
  std::int64_t vocabulary = 0;
  std::int64_t hidden = 0;
  kernels::AttentionShape attention;
  std::int64_t mlp = 0;
  std::int64_t context = 0;
  double norm_eps = 1e-6;
  double norm_weight_offset = 0;  ///< Gemma: 1
  double init_std = 0.02;
  bool tied_embeddings = true;
  bool qkv_bias = false;
  bool output_bias = false;
  bool mlp_bias = false;
  bool qk_norm = false;
  bool fused_names = false;   ///< Phi-3: qkv_proj and gate_up_proj are one tensor each in the files
  bool branch_norms = false;  ///< Gemma 2: a norm also behind attention and behind the MLP
  kernels::Activation activation = kernels::Activation::silu;
  double embedding_scale = 1;
  double attention_scale = 0;  ///< 0: 1 / sqrt(head_dim)
  double attention_soft_cap = 0;
  double final_soft_cap = 0;
  std::vector<RopeScaling> ropes;
  std::vector<DecoderLayer> layers;

  std::int64_t experts = 0;
  std::int64_t experts_a_token = 2;
  std::int64_t expert_mlp = 0;
  bool normalize_experts = true;
  double balance = 0;  ///< as in PolicyShape
  ExpertNames expert_names;
};

/// The policy of this form; `hf_config` is what Policy::hf_config gives.
std::unique_ptr<Policy> make_decoder(DecoderForm form, Json hf_config, ParameterStore& store, bool with_lm_head);

}  // namespace hone
