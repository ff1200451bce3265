#include "policies/phi3.h"

#include "base/error.h"
#include "policies/decoder.h"
#include "policies/hf_config.h"

namespace hone {

void Phi3Spec::describe(Fields& f) {
  f.field("vocabulary", vocabulary_size, "Number of token ids; 0 takes the tokenizer's.", at_least(0));
  f.field("hidden", hidden, "Width of the residual stream.", at_least(1));
  f.field("layers", layers, "Number of blocks.", at_least(1));
  f.field("heads", heads, "Query heads.", at_least(1));
  f.field("kv_heads", kv_heads, "Key and value heads; 0: as many as query heads.", at_least(0));
  f.field("mlp", mlp, "Inner width of the gated MLP; 0: 8/3 of hidden, rounded up to 32.", at_least(0));
  f.field("context", context, "Longest sequence in tokens.", at_least(2));
  f.field("rope_theta", rope_theta, "Base of the rotary embedding.", above(0));
  f.field("rotary_share", rotary_share, "Part of each head that the rotary embedding turns.",
          Range{.low = 0, .high = 1, .open_low = true});
  f.field("norm_eps", norm_eps, "Added to the mean square in RMSNorm.", above(0));
  f.field("sliding_window", sliding_window, "Tokens a query sees, itself included; 0: all before it.", at_least(0));
  f.field("tied_embeddings", tied_embeddings, "The LM head uses the embedding's weights.");
  f.field("init_std", init_std, "Standard deviation of new matrices.", above(0));
  f.check(heads < 1 || hidden % heads == 0, "heads", "must divide hidden");
  f.check(kv_heads < 1 || heads % kv_heads == 0, "kv_heads", "must divide heads");
}

void Phi3Spec::from_hf(const Json& json) {
  HfConfig config(json);
  vocabulary_size = config.positive("vocab_size");
  hidden = config.positive("hidden_size");
  layers = config.positive("num_hidden_layers");
  heads = config.positive("num_attention_heads");
  kv_heads = config.positive_or("num_key_value_heads", heads);
  if (hidden % heads != 0) cannot_honour("num_attention_heads", fmt::format("no divisor of hidden_size {}", hidden));
  if (heads % kv_heads != 0) cannot_honour("num_key_value_heads", fmt::format("no divisor of {} heads", heads));
  config.expect("head_dim", hidden / heads);
  mlp = config.positive("intermediate_size");
  context = config.positive_or("max_position_embeddings", 4096);
  const std::int64_t original = config.positive_or("original_max_position_embeddings", 4096);
  rope_ = rope_from_hf(json, {.max_positions = context, .original_positions = original, .share_key = "partial_rotary_factor"});
  config.ignore({"partial_rotary_factor"});
  norm_eps = config.number_or("rms_norm_eps", 1e-5);
  activation_ = config.activation_or("hidden_act", "silu");
  sliding_window = config.integer_or("sliding_window", 0);
  tied_embeddings = config.bool_or("tie_word_embeddings", false);
  init_std = config.number_or("initializer_range", 0.02);
  config.expect("attention_bias", false);
  config.refuse_unknown();
  source_ = json;
}

Phi3Spec Phi3Spec::complete() const {
  Phi3Spec spec = *this;
  if (spec.kv_heads == 0) spec.kv_heads = heads;
  if (spec.mlp == 0) spec.mlp = (hidden * 8 / 3 + 31) / 32 * 32;
  if (!spec.rope_) spec.rope_ = RopeScaling{.theta = rope_theta, .rotary_share = rotary_share, .max_positions = context};
  return spec;
}

Json Phi3Spec::hf_config() const {
  if (source_) return *source_;
  Json config = Json::object();
  config.set("model_type", "phi3");
  config.set("vocab_size", vocabulary_size);
  config.set("hidden_size", hidden);
  config.set("intermediate_size", mlp);
  config.set("num_hidden_layers", layers);
  config.set("num_attention_heads", heads);
  config.set("num_key_value_heads", kv_heads);
  config.set("hidden_act", hf_activation(activation_));
  config.set("max_position_embeddings", context);
  config.set("original_max_position_embeddings", context);
  Json rope = Json::object();
  rope.set("rope_type", "default");
  rope.set("rope_theta", rope_theta);
  rope.set("partial_rotary_factor", rotary_share);
  config.set("rope_parameters", rope);
  config.set("rms_norm_eps", norm_eps);
  config.set("sliding_window", sliding_window > 0 ? Json(sliding_window) : Json());
  config.set("tie_word_embeddings", tied_embeddings);
  config.set("initializer_range", init_std);
  for (const char* key : {"attention_dropout", "embd_pdrop", "resid_pdrop"}) config.set(key, 0.0);
  return config;
}

std::unique_ptr<Policy> Phi3Spec::make(ParameterStore& store, bool with_lm_head) const {
  HONE_ASSERT(vocabulary_size > 0);
  const Phi3Spec spec = complete();
  const std::int64_t head_dim = spec.hidden / spec.heads;
  DecoderForm form{.hf_family = "Phi3",
                   .vocabulary = spec.vocabulary_size,
                   .hidden = spec.hidden,
                   .attention = {spec.heads, spec.kv_heads, head_dim},
                   .mlp = spec.mlp,
                   .context = spec.context,
                   .norm_eps = spec.norm_eps,
                   .init_std = spec.init_std,
                   .tied_embeddings = spec.tied_embeddings,
                   .fused_names = true,
                   .activation = spec.activation_,
                   .ropes = {*spec.rope_}};
  form.layers.assign(static_cast<std::size_t>(spec.layers), {.window = spec.sliding_window});
  return make_decoder(std::move(form), spec.hf_config(), store, with_lm_head);
}

}  // namespace hone
