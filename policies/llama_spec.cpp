#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "policies/llama.h"

namespace hone {

namespace {

constexpr std::array<std::string_view, 4> model_types = {"llama", "mistral", "qwen2", "qwen3"};

[[noreturn]] void unsupported(std::string_view key, const std::string& value) {
  fail(ErrorKind::data, "{} is {}, which this version cannot honour", key, value);
}

std::int64_t positive(std::string_view key, std::int64_t value) {
  if (value < 1) fail(ErrorKind::data, "{} is {}, expected at least 1", key, value);
  return value;
}

std::int64_t positive(const Json& config, std::string_view key) { return positive(key, config.at(key).as_integer()); }

std::int64_t integer_or(const Json& config, std::string_view key, std::int64_t otherwise) {
  const Json* value = config.find(key);
  return value == nullptr || value->is_null() ? otherwise : value->as_integer();
}

std::int64_t positive_or(const Json& config, std::string_view key, std::int64_t otherwise) {
  return positive(key, integer_or(config, key, otherwise));
}

double number_or(const Json& config, std::string_view key, double otherwise) {
  const Json* value = config.find(key);
  return value == nullptr || value->is_null() ? otherwise : value->as_number();
}

bool bool_or(const Json& config, std::string_view key, bool otherwise) {
  const Json* value = config.find(key);
  return value == nullptr || value->is_null() ? otherwise : value->as_bool();
}

/// The base of the rotary embedding, from either place that transformers has written it to. Scaled ones are refused.
double rope_theta_of(const Json& config) {
  double theta = number_or(config, "rope_theta", 10000);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const Json* rope = config.find(key);
    if (rope == nullptr || rope->is_null()) continue;
    for (const char* type_key : {"rope_type", "type"}) {
      const Json* type = rope->find(type_key);
      if (type != nullptr && type->as_string() != "default") unsupported(key, rope->dump());
    }
    theta = number_or(*rope, "rope_theta", theta);
  }
  return theta;
}

/// The window of Qwen's layers. transformers lists the layers that have one in layer_types, older files say from
/// which layer on; this family gives all layers the same.
std::int64_t qwen_window(const Json& config, std::int64_t layers) {
  if (!bool_or(config, "use_sliding_window", false)) return 0;
  std::int64_t sliding = std::max<std::int64_t>(0, layers - integer_or(config, "max_window_layers", 28));
  if (const Json* types = config.find("layer_types"); types != nullptr && !types->is_null()) {
    const Json::Array& names = types->as_array();
    sliding = std::count(names.begin(), names.end(), Json("sliding_attention"));
  }
  if (sliding == 0) return 0;
  if (sliding < layers) unsupported("sliding_window", fmt::format("only for {} of {} layers", sliding, layers));
  return positive_or(config, "sliding_window", 4096);
}

/// Absent keys mean what transformers' classes have as defaults; null means no window.
std::int64_t window_of(const Json& config, std::string_view type, std::int64_t layers) {
  if (type == "llama") return 0;
  if (const Json* window = config.find("sliding_window"); window != nullptr && window->is_null()) return 0;
  return type == "mistral" ? positive_or(config, "sliding_window", 4096) : qwen_window(config, layers);
}

}  // namespace

void LlamaSpec::describe(Fields& f) {
  f.field("vocabulary", vocabulary_size, "Number of token ids; 0 takes the tokenizer's.", at_least(0));
  f.field("hidden", hidden, "Width of the residual stream.", at_least(1));
  f.field("layers", layers, "Number of blocks.", at_least(1));
  f.field("heads", heads, "Query heads.", at_least(1));
  f.field("kv_heads", kv_heads, "Key and value heads; 0: as many as query heads.", at_least(0));
  f.field("head_dim", head_dim, "Width of a head; 0: hidden / heads.", at_least(0));
  f.field("mlp", mlp, "Inner width of the gated MLP; 0: 8/3 of hidden, rounded up to 32.", at_least(0));
  f.field("context", context, "Longest sequence in tokens.", at_least(2));
  f.field("rope_theta", rope_theta, "Base of the rotary embedding.", above(0));
  f.field("norm_eps", norm_eps, "Added to the mean square in RMSNorm.", above(0));
  f.field("tied_embeddings", tied_embeddings, "The LM head uses the embedding's weights.");
  f.field("qkv_bias", qkv_bias, "Biases on queries, keys and values (Qwen2).");
  f.field("output_bias", output_bias, "Bias on the attention's output.");
  f.field("qk_norm", qk_norm, "RMSNorm of each query and key head (Qwen3).");
  f.field("sliding_window", sliding_window, "Tokens a query sees, itself included; 0: all before it.", at_least(0));
  f.field("init_std", init_std, "Standard deviation of new matrices.", above(0));
  f.check(qkv_bias || !output_bias, "output_bias", "needs qkv_bias: no Hugging Face class has it alone");
  f.check(!qk_norm || qkv_bias == output_bias, "qk_norm", "goes with both biases or with none");
  f.check(sliding_window == 0 || qk_norm || !output_bias, "sliding_window",
          "goes with output_bias only where there is qk_norm: no Hugging Face class has them otherwise");
  f.check(heads < 1 || head_dim > 0 || hidden % heads == 0, "heads", "must divide hidden when head_dim is 0");
  f.check(kv_heads < 1 || heads % kv_heads == 0, "kv_heads", "must divide heads");
  f.check(head_dim % 2 == 0 && (head_dim > 0 || heads < 1 || (hidden / heads) % 2 == 0), "head_dim",
          "must be even: the rotary embedding turns pairs");
}

bool LlamaSpec::accepts(std::string_view model_type) const {
  return std::find(model_types.begin(), model_types.end(), model_type) != model_types.end();
}

void LlamaSpec::from_hf(const Json& config) {
  const std::string& type = config.at("model_type").as_string();
  vocabulary_size = positive(config, "vocab_size");
  hidden = positive(config, "hidden_size");
  layers = positive(config, "num_hidden_layers");
  heads = positive(config, "num_attention_heads");
  kv_heads = positive_or(config, "num_key_value_heads", heads);
  head_dim = positive_or(config, "head_dim", type == "qwen3" ? 128 : hidden / heads);
  mlp = positive(config, "intermediate_size");
  context = positive_or(config, "max_position_embeddings", 2048);
  if (heads % kv_heads != 0) unsupported("num_key_value_heads", fmt::format("no divisor of {} heads", heads));
  if (head_dim % 2 != 0) unsupported("head_dim", fmt::format("{} (odd)", head_dim));
  rope_theta = rope_theta_of(config);
  norm_eps = number_or(config, "rms_norm_eps", 1e-6);
  tied_embeddings = bool_or(config, "tie_word_embeddings", false);
  const bool attention_bias = bool_or(config, "attention_bias", false);
  qkv_bias = type == "qwen2" || attention_bias;
  output_bias = attention_bias && type != "qwen2";
  qk_norm = type == "qwen3";
  sliding_window = window_of(config, type, layers);
  init_std = number_or(config, "initializer_range", 0.02);
  if (const Json* act = config.find("hidden_act"); act != nullptr && act->as_string() != "silu") {
    unsupported("hidden_act", act->as_string());
  }
  if (bool_or(config, "mlp_bias", false)) unsupported("mlp_bias", "true");
}

}  // namespace hone
