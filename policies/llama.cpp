#include "policies/llama.h"

#include "base/error.h"
#include "policies/decoder.h"

namespace hone {

namespace {

/// The plain Llama class knows neither biases on q, k, v alone nor q/k norms nor windows: the member that does.
std::string_view member_for(const LlamaSpec& spec) {
  if (spec.qk_norm) return "qwen3";
  if (spec.qkv_bias && !spec.output_bias) return "qwen2";
  return spec.sliding_window > 0 ? "mistral" : "llama";
}

std::string class_family(std::string_view model_type) {
  if (model_type == "qwen3") return "Qwen3";
  if (model_type == "qwen2") return "Qwen2";
  return model_type == "mistral" ? "Mistral" : "Llama";
}

}  // namespace

LlamaSpec LlamaSpec::complete() const {
  LlamaSpec spec = *this;
  if (spec.kv_heads == 0) spec.kv_heads = heads;
  if (spec.head_dim == 0) spec.head_dim = hidden / heads;
  if (spec.mlp == 0) spec.mlp = (hidden * 8 / 3 + 31) / 32 * 32;
  return spec;
}

Json LlamaSpec::hf_config() const {
  if (source_) return *source_;
  const std::string_view member = member_for(*this);
  Json config = Json::object();
  config.set("model_type", member);
  config.set("vocab_size", vocabulary_size);
  config.set("hidden_size", hidden);
  config.set("intermediate_size", mlp);
  config.set("num_hidden_layers", layers);
  config.set("num_attention_heads", heads);
  config.set("num_key_value_heads", kv_heads);
  config.set("head_dim", head_dim);
  config.set("hidden_act", "silu");
  config.set("max_position_embeddings", context);
  config.set("rope_theta", rope_theta);
  config.set("rms_norm_eps", norm_eps);
  config.set("tie_word_embeddings", tied_embeddings);
  config.set("attention_bias", qkv_bias && (output_bias || qk_norm));
  config.set("attention_dropout", 0.0);
  config.set("initializer_range", init_std);
  if (sliding_window > 0) {
    config.set("sliding_window", sliding_window);
    if (member != "mistral") {
      config.set("use_sliding_window", true);
      config.set("max_window_layers", 0);
    }
  }
  return config;
}

std::unique_ptr<Policy> LlamaSpec::make(ParameterStore& store, bool with_lm_head) const {
  HONE_ASSERT(vocabulary_size > 0);
  const LlamaSpec spec = complete();
  DecoderForm form{.hf_family = class_family(spec.hf_config().at("model_type").as_string()),
                   .vocabulary = spec.vocabulary_size,
                   .hidden = spec.hidden,
                   .attention = {spec.heads, spec.kv_heads, spec.head_dim},
                   .mlp = spec.mlp,
                   .context = spec.context,
                   .norm_eps = spec.norm_eps,
                   .init_std = spec.init_std,
                   .tied_embeddings = spec.tied_embeddings,
                   .qkv_bias = spec.qkv_bias,
                   .output_bias = spec.output_bias,
                   .mlp_bias = spec.mlp_bias,
                   .qk_norm = spec.qk_norm,
                   .activation = spec.activation,
                   .ropes = {spec.rope.value_or(RopeScaling{.theta = spec.rope_theta})}};
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
    form.layers.push_back({.window = layer < spec.first_window_layer ? 0 : spec.sliding_window});
  }
  return make_decoder(std::move(form), spec.hf_config(), store, with_lm_head);
}

}  // namespace hone
