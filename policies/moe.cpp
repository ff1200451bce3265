#include "policies/moe.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "policies/decoder.h"
#include "policies/hf_config.h"

namespace hone {

namespace {

constexpr std::array<std::string_view, 2> family_names = {"mixtral", "qwen3_moe"};

}  // namespace

void MoeSpec::describe(Fields& f) {
  f.choice("family", family, family_names, "Whose names and details the files have.");
  f.field("vocabulary", vocabulary_size, "Number of token ids; 0 takes the tokenizer's.", at_least(0));
  f.field("hidden", hidden, "Width of the residual stream.", at_least(1));
  f.field("layers", layers, "Number of blocks.", at_least(1));
  f.field("heads", heads, "Query heads.", at_least(1));
  f.field("kv_heads", kv_heads, "Key and value heads; 0: as many as query heads.", at_least(0));
  f.field("head_dim", head_dim, "Width of a head; 0: hidden / heads.", at_least(0));
  f.field("experts", experts, "Experts of each layer.", at_least(1));
  f.field("experts_a_token", experts_a_token, "Experts that each token goes through.", at_least(1));
  f.field("expert_mlp", expert_mlp, "Inner width of an expert; 0: 8/3 of hidden, rounded up to 32.", at_least(0));
  f.field("balance", balance,
          "Coefficient of the load-balancing loss, which is that of each forward pass's tokens, averaged over the passes of a "
          "step by what they learn: alone of all terms it depends on tokens_per_pass.",
          at_least(0));
  f.field("context", context, "Longest sequence in tokens.", at_least(2));
  f.field("rope_theta", rope_theta, "Base of the rotary embedding.", above(0));
  f.field("norm_eps", norm_eps, "Added to the mean square in RMSNorm.", above(0));
  f.field("sliding_window", sliding_window, "Tokens a query sees, itself included; 0: all before it.", at_least(0));
  f.field("tied_embeddings", tied_embeddings, "The LM head uses the embedding's weights.");
  f.field("init_std", init_std, "Standard deviation of new matrices.", above(0));
  f.check(heads < 1 || head_dim > 0 || hidden % heads == 0, "heads", "must divide hidden when head_dim is 0");
  f.check(kv_heads < 1 || heads % kv_heads == 0, "kv_heads", "must divide heads");
  f.check(experts_a_token <= experts, "experts_a_token", "must not exceed experts");
}

void MoeSpec::from_hf(const Json& json) {
  HfConfig config(json);
  family = config.string_or("model_type", "") == "mixtral" ? MoeKind::mixtral : MoeKind::qwen3_moe;
  const bool mixtral = family == MoeKind::mixtral;
  vocabulary_size = config.positive("vocab_size");
  hidden = config.positive("hidden_size");
  layers = config.positive("num_hidden_layers");
  heads = config.positive("num_attention_heads");
  kv_heads = config.positive_or("num_key_value_heads", heads);
  if (heads % kv_heads != 0) cannot_honour("num_key_value_heads", fmt::format("no divisor of {} heads", heads));
  head_dim = config.positive_or("head_dim", hidden / heads);
  dense_mlp_ = config.positive("intermediate_size");
  expert_mlp = mixtral ? dense_mlp_ : config.positive("moe_intermediate_size");
  // transformers writes both families' number as num_local_experts; Qwen's own files say num_experts.
  experts = config.positive_or("num_local_experts", config.integer_or("num_experts", 0));
  experts_a_token = config.positive_or("num_experts_per_tok", mixtral ? 2 : 8);
  if (experts_a_token > experts) cannot_honour("num_experts_per_tok", fmt::format("{} of {} experts", experts_a_token, experts));
  normalize_ = mixtral || config.bool_or("norm_topk_prob", false);
  sparse_step_ = mixtral ? 1 : config.positive_or("decoder_sparse_step", 1);
  dense_layers_.clear();
  if (const Json* dense = mixtral ? nullptr : config.find("mlp_only_layers"); dense != nullptr) {
    for (const Json& layer : dense->as_array()) dense_layers_.push_back(layer.as_integer());
  }
  context = config.positive_or("max_position_embeddings", 4096);
  rope_ = rope_from_hf(json, {.max_positions = context, .theta = mixtral ? 1e6 : 10000});
  rope_theta = rope_->theta;
  norm_eps = config.number_or("rms_norm_eps", mixtral ? 1e-5 : 1e-6);
  activation_ = config.activation_or("hidden_act", "silu");
  attention_bias_ = !mixtral && config.bool_or("attention_bias", false);
  const bool windows = mixtral || config.bool_or("use_sliding_window", false);
  sliding_window = windows ? config.integer_or("sliding_window", 0) : 0;
  config.ignore({"sliding_window", "max_window_layers", "output_router_logits"});
  config.expect("router_jitter_noise", 0.0);
  balance = config.number_or("router_aux_loss_coef", 0.001);
  tied_embeddings = config.bool_or("tie_word_embeddings", false);
  init_std = config.number_or("initializer_range", 0.02);
  config.refuse_unknown();
  source_ = json;
}

MoeSpec MoeSpec::complete() const {
  MoeSpec spec = *this;
  if (spec.kv_heads == 0) spec.kv_heads = heads;
  if (spec.head_dim == 0) spec.head_dim = hidden / heads;
  if (spec.expert_mlp == 0) spec.expert_mlp = (hidden * 8 / 3 + 31) / 32 * 32;
  if (spec.dense_mlp_ == 0) spec.dense_mlp_ = spec.expert_mlp;
  if (!spec.rope_) spec.rope_ = RopeScaling{.theta = rope_theta, .max_positions = context};
  return spec;
}

bool MoeSpec::is_sparse(std::int64_t layer) const {
  return (layer + 1) % sparse_step_ == 0 && std::find(dense_layers_.begin(), dense_layers_.end(), layer) == dense_layers_.end();
}

Json MoeSpec::hf_config() const {
  if (source_) return *source_;
  Json config = Json::object();
  config.set("model_type", family_names[static_cast<std::size_t>(family)]);
  config.set("vocab_size", vocabulary_size);
  config.set("hidden_size", hidden);
  config.set("intermediate_size", dense_mlp_);
  if (family == MoeKind::qwen3_moe) {
    config.set("moe_intermediate_size", expert_mlp);
    config.set("norm_topk_prob", normalize_);
  }
  config.set("num_local_experts", experts);
  config.set("num_experts_per_tok", experts_a_token);
  config.set("router_aux_loss_coef", balance);
  config.set("num_hidden_layers", layers);
  config.set("num_attention_heads", heads);
  config.set("num_key_value_heads", kv_heads);
  config.set("head_dim", head_dim);
  config.set("hidden_act", hf_activation(activation_));
  config.set("max_position_embeddings", context);
  config.set("rope_theta", rope_theta);
  config.set("rms_norm_eps", norm_eps);
  config.set("sliding_window", sliding_window > 0 ? Json(sliding_window) : Json());
  if (family == MoeKind::qwen3_moe) config.set("use_sliding_window", sliding_window > 0);
  config.set("tie_word_embeddings", tied_embeddings);
  config.set("attention_dropout", 0.0);
  config.set("initializer_range", init_std);
  return config;
}

std::unique_ptr<Policy> MoeSpec::make(ParameterStore& store, bool with_lm_head) const {
  HONE_ASSERT(vocabulary_size > 0);
  const MoeSpec spec = complete();
  const bool mixtral = spec.family == MoeKind::mixtral;
  DecoderForm form{.hf_family = mixtral ? "Mixtral" : "Qwen3Moe",
                   .vocabulary = spec.vocabulary_size,
                   .hidden = spec.hidden,
                   .attention = {spec.heads, spec.kv_heads, spec.head_dim},
                   .mlp = spec.dense_mlp_,
                   .context = spec.context,
                   .norm_eps = spec.norm_eps,
                   .init_std = spec.init_std,
                   .tied_embeddings = spec.tied_embeddings,
                   .qkv_bias = spec.attention_bias_,
                   .output_bias = spec.attention_bias_,
                   .qk_norm = !mixtral,
                   .activation = spec.activation_,
                   .ropes = {*spec.rope_},
                   .experts = spec.experts,
                   .experts_a_token = spec.experts_a_token,
                   .expert_mlp = spec.expert_mlp,
                   .normalize_experts = spec.normalize_,
                   .balance = spec.balance};
  if (mixtral) form.expert_names = {.module = "block_sparse_moe", .gate = "w1", .up = "w3", .down = "w2"};
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
    form.layers.push_back({.window = spec.sliding_window, .sparse = spec.is_sparse(layer)});
  }
  return make_decoder(std::move(form), spec.hf_config(), store, with_lm_head);
}

}  // namespace hone
