#include "policies/gemma.h"

#include <array>
#include <cmath>

#include "base/error.h"
#include "policies/decoder.h"
#include "policies/hf_config.h"

namespace hone {

namespace {

constexpr std::array<std::string_view, 3> family_names = {"gemma", "gemma2", "gemma3"};
constexpr std::array<std::string_view, 3> model_types = {"gemma", "gemma2", "gemma3_text"};
constexpr std::array<const char*, 3> class_names = {"Gemma", "Gemma2", "Gemma3"};

}  // namespace

void GemmaSpec::describe(Fields& f) {
  f.choice("family", family, family_names, "Which generation.");
  f.field("vocabulary", vocabulary_size, "Number of token ids; 0 takes the tokenizer's.", at_least(0));
  f.field("hidden", hidden, "Width of the residual stream.", at_least(1));
  f.field("layers", layers, "Number of blocks.", at_least(1));
  f.field("heads", heads, "Query heads.", at_least(1));
  f.field("kv_heads", kv_heads, "Key and value heads; 0: as many as query heads.", at_least(0));
  f.field("head_dim", head_dim, "Width of a head; 0: hidden / heads.", at_least(0));
  f.field("mlp", mlp, "Inner width of the gated MLP; 0: 4 times hidden.", at_least(0));
  f.field("context", context, "Longest sequence in tokens.", at_least(2));
  f.field("rope_theta", rope_theta, "Base of the rotary embedding.", above(0));
  f.field("norm_eps", norm_eps, "Added to the mean square in RMSNorm.", above(0));
  f.field("attention_soft_cap", attention_soft_cap, "Bound of attention scores (Gemma 2); 0: none.", at_least(0));
  f.field("final_soft_cap", final_soft_cap, "Bound of logits (Gemma 2); 0: none.", at_least(0));
  f.field("sliding_window", sliding_window, "Tokens a query sees in layers with a window (Gemma 2, 3); 0: no windows.",
          at_least(0));
  f.field("full_layer_every", full_layer_every, "Each such layer sees all tokens.", at_least(1));
  f.field("init_std", init_std, "Standard deviation of new matrices.", above(0));
  f.check(heads < 1 || head_dim > 0 || hidden % heads == 0, "heads", "must divide hidden when head_dim is 0");
  f.check(kv_heads < 1 || heads % kv_heads == 0, "kv_heads", "must divide heads");
  const bool plain = sliding_window == 0 && attention_soft_cap == 0 && final_soft_cap == 0;
  f.check(family != GemmaKind::gemma || plain, "family", "gemma has neither windows nor soft caps; use gemma2");
}

void GemmaSpec::from_hf(const Json& json) {
  HfConfig config(json);
  const std::string type = config.string_or("model_type", "");
  for (std::size_t i = 0; i < model_types.size(); ++i) {
    if (model_types[i] == type) family = static_cast<GemmaKind>(i);
  }
  vocabulary_size = config.positive("vocab_size");
  hidden = config.positive("hidden_size");
  layers = config.positive("num_hidden_layers");
  heads = config.positive("num_attention_heads");
  kv_heads = config.positive_or("num_key_value_heads", heads);
  if (heads % kv_heads != 0) cannot_honour("num_key_value_heads", fmt::format("no divisor of {} heads", heads));
  head_dim = config.positive_or("head_dim", 256);
  mlp = config.positive("intermediate_size");
  context = config.positive_or("max_position_embeddings", family == GemmaKind::gemma3 ? 131072 : 8192);
  norm_eps = config.number_or("rms_norm_eps", 1e-6);
  init_std = config.number_or("initializer_range", 0.02);
  tied_embeddings_ = config.bool_or("tie_word_embeddings", true);
  attention_bias_ = config.bool_or("attention_bias", false);
  config.ignore({"sliding_window_pattern", "_sliding_window_pattern", "hidden_act", "hidden_activation"});
  activation_ = config.activation_or(family == GemmaKind::gemma ? "hidden_act" : "hidden_activation", "gelu_pytorch_tanh");
  // The first releases say "gelu" and mean its tanh form.
  if (family == GemmaKind::gemma && config.string_or("hidden_act", "") == "gelu") activation_ = kernels::Activation::gelu_tanh;
  config.expect("use_bidirectional_attention", false);
  if (family != GemmaKind::gemma) {
    attention_scalar_ = config.number_or("query_pre_attn_scalar", 256);
    // transformers' Gemma 3 does not look at it.
    if (family == GemmaKind::gemma2) attention_soft_cap = config.number_or("attn_logit_softcapping", 0);
    config.ignore({"attn_logit_softcapping"});
    final_soft_cap = config.number_or("final_logit_softcapping", 0);
    sliding_window = config.positive_or("sliding_window", 4096);
    read_layers(config);
  }
  if (family == GemmaKind::gemma3) {
    rope_ = rope_from_hf(json, {.max_positions = context, .theta = 1e6, .layer_type = "full_attention"});
    sliding_rope_ = rope_from_hf(json, {.max_positions = context,
                                        .theta = 10000,
                                        .theta_key = "rope_local_base_freq",
                                        .layer_type = "sliding_attention",
                                        .reads_rope_scaling = false});
    config.ignore({"rope_local_base_freq"});
  } else {
    rope_ = rope_from_hf(json, {.max_positions = context});
  }
  rope_theta = rope_->theta;
  config.refuse_unknown();
  source_ = json;
}

void GemmaSpec::read_layers(HfConfig& config) {
  const Json* types = config.find("layer_types");
  const std::int64_t usual = family == GemmaKind::gemma3 ? 6 : 2;
  full_layer_every = config.positive_or("sliding_window_pattern", usual);
  slides_.clear();
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    if (types == nullptr) {
      slides_.push_back((layer + 1) % full_layer_every != 0);
      continue;
    }
    if (static_cast<std::int64_t>(types->as_array().size()) != layers) cannot_honour("layer_types", types->dump());
    const std::string& name = types->as_array()[static_cast<std::size_t>(layer)].as_string();
    if (name != "sliding_attention" && name != "full_attention") cannot_honour("layer_types", '\'' + name + '\'');
    slides_.push_back(name == "sliding_attention");
  }
}

GemmaSpec GemmaSpec::complete() const {
  GemmaSpec spec = *this;
  if (spec.kv_heads == 0) spec.kv_heads = heads;
  if (spec.head_dim == 0) spec.head_dim = hidden / heads;
  if (spec.mlp == 0) spec.mlp = 4 * hidden;
  if (!spec.attention_scalar_) spec.attention_scalar_ = static_cast<double>(spec.head_dim);
  if (!spec.rope_) spec.rope_ = RopeScaling{.theta = rope_theta, .max_positions = context};
  if (!spec.sliding_rope_) spec.sliding_rope_ = spec.rope_;
  for (std::int64_t layer = static_cast<std::int64_t>(spec.slides_.size()); layer < layers; ++layer) {
    spec.slides_.push_back(sliding_window > 0 && (layer + 1) % full_layer_every != 0);
  }
  return spec;
}

Json GemmaSpec::hf_config() const {
  if (source_) return *source_;
  Json config = Json::object();
  config.set("model_type", model_types[static_cast<std::size_t>(family)]);
  config.set("vocab_size", vocabulary_size);
  config.set("hidden_size", hidden);
  config.set("intermediate_size", mlp);
  config.set("num_hidden_layers", layers);
  config.set("num_attention_heads", heads);
  config.set("num_key_value_heads", kv_heads);
  config.set("head_dim", head_dim);
  config.set(family == GemmaKind::gemma ? "hidden_act" : "hidden_activation", hf_activation(activation_));
  config.set("max_position_embeddings", context);
  config.set("rms_norm_eps", norm_eps);
  config.set("tie_word_embeddings", tied_embeddings_);
  config.set("attention_bias", attention_bias_);
  config.set("attention_dropout", 0.0);
  config.set("initializer_range", init_std);
  config.set("rope_theta", rope_theta);
  if (family == GemmaKind::gemma) return config;
  if (family == GemmaKind::gemma3) config.set("rope_local_base_freq", rope_theta);
  config.set("query_pre_attn_scalar", *attention_scalar_);
  config.set("attn_logit_softcapping", attention_soft_cap > 0 ? Json(attention_soft_cap) : Json());
  config.set("final_logit_softcapping", final_soft_cap > 0 ? Json(final_soft_cap) : Json());
  config.set("sliding_window", sliding_window > 0 ? sliding_window : context);
  Json::Array types;
  for (const bool slides : slides_) types.emplace_back(slides ? "sliding_attention" : "full_attention");
  config.set("layer_types", types);
  return config;
}

std::unique_ptr<Policy> GemmaSpec::make(ParameterStore& store, bool with_lm_head) const {
  HONE_ASSERT(vocabulary_size > 0);
  const GemmaSpec spec = complete();
  DecoderForm form{.hf_family = class_names[static_cast<std::size_t>(spec.family)],
                   .vocabulary = spec.vocabulary_size,
                   .hidden = spec.hidden,
                   .attention = {spec.heads, spec.kv_heads, spec.head_dim},
                   .mlp = spec.mlp,
                   .context = spec.context,
                   .norm_eps = spec.norm_eps,
                   .norm_weight_offset = 1,
                   .init_std = spec.init_std,
                   .tied_embeddings = spec.tied_embeddings_,
                   .qkv_bias = spec.attention_bias_,
                   .output_bias = spec.attention_bias_,
                   .qk_norm = spec.family == GemmaKind::gemma3,
                   .branch_norms = spec.family != GemmaKind::gemma,
                   .activation = spec.activation_,
                   // Rounded as the reference code does: the embedding was trained with it.
                   .embedding_scale = static_cast<float>(std::sqrt(static_cast<double>(spec.hidden))),
                   .attention_scale = 1.0 / std::sqrt(*spec.attention_scalar_),
                   .attention_soft_cap = spec.attention_soft_cap,
                   .final_soft_cap = spec.final_soft_cap};
  form.ropes = {*spec.rope_, *spec.sliding_rope_};
  for (const bool slides : spec.slides_) {
    form.layers.push_back({.window = slides ? spec.sliding_window : 0, .rope = slides ? 1U : 0U});
  }
  return make_decoder(std::move(form), spec.hf_config(), store, with_lm_head);
}

}  // namespace hone
