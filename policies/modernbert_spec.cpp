#include "base/error.h"
#include "policies/hf_config.h"
#include "policies/modernbert.h"

namespace hone {

void ModernBertSpec::describe(Fields& f) {
  f.field("vocabulary", vocabulary_size, "Number of token ids; 0 takes the tokenizer's.", at_least(0));
  f.field("hidden", hidden, "Width of the residual stream.", at_least(1));
  f.field("layers", layers, "Number of blocks.", at_least(1));
  f.field("heads", heads, "Attention heads.", at_least(1));
  f.field("mlp", mlp, "Inner width of the gated MLP; 0: 3/2 of hidden.", at_least(0));
  f.field("context", context, "Longest sequence in tokens.", at_least(2));
  f.field("local_attention", local_attention, "Tokens that a query sees in local layers, half of them on each side.",
          at_least(2));
  f.field("global_layer_every", global_layer_every, "The first and then every such layer sees all tokens.", at_least(1));
  f.field("global_rope_theta", global_rope_theta, "Base of the rotary embedding in layers that see all tokens.", above(0));
  f.field("local_rope_theta", local_rope_theta, "Base of the rotary embedding in local layers.", above(0));
  f.field("norm_eps", norm_eps, "Added to the variance in layer norms.", above(0));
  f.field("init_std", init_std, "Standard deviation of new matrices.", above(0));
  f.check(heads < 1 || hidden % heads == 0, "heads", "must divide hidden");
}

void ModernBertSpec::from_hf(const Json& json) {
  HfConfig config(json);
  vocabulary_size = config.positive("vocab_size");
  hidden = config.positive("hidden_size");
  layers = config.positive("num_hidden_layers");
  heads = config.positive("num_attention_heads");
  if (hidden % heads != 0) cannot_honour("num_attention_heads", fmt::format("no divisor of hidden_size {}", hidden));
  mlp = config.positive("intermediate_size");
  context = config.positive_or("max_position_embeddings", 8192);
  local_attention = config.positive_or("local_attention", 128);
  global_layer_every = config.positive_or("global_attn_every_n_layers", 3);
  local.clear();
  const Json* types = config.find("layer_types");
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    if (types == nullptr) {
      local.push_back(layer % global_layer_every != 0);
      continue;
    }
    if (static_cast<std::int64_t>(types->as_array().size()) != layers) cannot_honour("layer_types", types->dump());
    const std::string& name = types->as_array()[static_cast<std::size_t>(layer)].as_string();
    if (name != "sliding_attention" && name != "full_attention") cannot_honour("layer_types", '\'' + name + '\'');
    local.push_back(name == "sliding_attention");
  }
  global_rope = rope_from_hf(json, {.max_positions = context,
                                    .theta = 160000,
                                    .theta_key = "global_rope_theta",
                                    .layer_type = "full_attention"});
  local_rope = rope_from_hf(json, {.max_positions = context,
                                   .theta = 10000,
                                   .theta_key = "local_rope_theta",
                                   .layer_type = "sliding_attention"});
  global_rope_theta = global_rope->theta;
  local_rope_theta = local_rope->theta;
  norm_eps = config.number_or("norm_eps", 1e-5);
  activation = config.activation_or("hidden_activation", "gelu");
  head_activation = config.activation_or("classifier_activation", "gelu");
  attention_bias = config.bool_or("attention_bias", false);
  mlp_bias = config.bool_or("mlp_bias", false);
  norm_bias = config.bool_or("norm_bias", false);
  head_bias = config.bool_or("classifier_bias", false);
  decoder_bias = config.bool_or("decoder_bias", true);
  const std::string pooling = config.string_or("classifier_pooling", "cls");
  if (pooling != "cls" && pooling != "mean") cannot_honour("classifier_pooling", '\'' + pooling + '\'');
  mean_pooling = pooling == "mean";
  tied_embeddings = config.bool_or("tie_word_embeddings", true);
  init_std = config.number_or("initializer_range", 0.02);
  config.ignore({"global_rope_theta", "local_rope_theta", "initializer_cutoff_factor", "deterministic_flash_attn",
                 "sparse_prediction", "sparse_pred_ignore_index", "embedding_dropout", "mlp_dropout",
                 "reference_compile", "repad_logits_with_grad", "layer_norm_eps", "position_embedding_type",
                 "norm_eps", "gradient_checkpointing"});
  config.refuse_unknown();
  source_ = json;
}

ModernBertSpec ModernBertSpec::complete() const {
  ModernBertSpec spec = *this;
  if (spec.mlp == 0) spec.mlp = hidden * 3 / 2;
  if (!spec.global_rope) spec.global_rope = RopeScaling{.theta = global_rope_theta, .max_positions = context};
  if (!spec.local_rope) spec.local_rope = RopeScaling{.theta = local_rope_theta, .max_positions = context};
  for (std::int64_t layer = static_cast<std::int64_t>(spec.local.size()); layer < layers; ++layer) {
    spec.local.push_back(layer % global_layer_every != 0);
  }
  return spec;
}

Json ModernBertSpec::hf_config() const {
  if (source_) return *source_;
  Json config = Json::object();
  config.set("model_type", "modernbert");
  config.set("vocab_size", vocabulary_size);
  config.set("hidden_size", hidden);
  config.set("intermediate_size", mlp);
  config.set("num_hidden_layers", layers);
  config.set("num_attention_heads", heads);
  config.set("hidden_activation", hf_activation(activation));
  config.set("max_position_embeddings", context);
  config.set("local_attention", local_attention);
  config.set("global_attn_every_n_layers", global_layer_every);
  config.set("global_rope_theta", global_rope_theta);
  config.set("local_rope_theta", local_rope_theta);
  config.set("norm_eps", norm_eps);
  config.set("initializer_range", init_std);
  for (const char* key : {"attention_dropout", "embedding_dropout", "mlp_dropout", "classifier_dropout"}) config.set(key, 0.0);
  return config;
}

}  // namespace hone
