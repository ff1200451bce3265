#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "policies/hf_config.h"
#include "policies/llama.h"

namespace hone {

namespace {

constexpr std::array<std::string_view, 4> model_types = {"llama", "mistral", "qwen2", "qwen3"};

/// From which layer on there is a window: transformers lists the layers that have one in layer_types, older files say
/// how many have none. All or the last ones may have it.
std::int64_t first_window_layer_of(HfConfig& config, std::int64_t layers) {
  const std::int64_t full = config.integer_or("max_window_layers", 28);
  const Json* types = config.find("layer_types");
  if (types == nullptr) return std::clamp<std::int64_t>(full, 0, layers);
  const Json::Array& names = types->as_array();
  const auto first = std::find(names.begin(), names.end(), Json("sliding_attention"));
  const bool rest_slides = std::all_of(first, names.end(), [](const Json& name) { return name == Json("sliding_attention"); });
  const bool known = std::all_of(names.begin(), first, [](const Json& name) { return name == Json("full_attention"); });
  if (!rest_slides || !known || static_cast<std::int64_t>(names.size()) != layers) cannot_honour("layer_types", types->dump());
  return first - names.begin();
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

void LlamaSpec::from_hf(const Json& json) {
  HfConfig config(json);
  const std::string type = config.string_or("model_type", "");
  vocabulary_size = config.positive("vocab_size");
  hidden = config.positive("hidden_size");
  layers = config.positive("num_hidden_layers");
  heads = config.positive("num_attention_heads");
  kv_heads = config.positive_or("num_key_value_heads", heads);
  head_dim = config.positive_or("head_dim", type == "qwen3" ? 128 : hidden / heads);
  mlp = config.positive("intermediate_size");
  context = config.positive_or("max_position_embeddings", 2048);
  if (heads % kv_heads != 0) cannot_honour("num_key_value_heads", fmt::format("no divisor of {} heads", heads));
  if (head_dim % 2 != 0) cannot_honour("head_dim", fmt::format("{} (odd)", head_dim));
  rope = rope_from_hf(json, {.max_positions = context});
  rope_theta = rope->theta;
  norm_eps = config.number_or("rms_norm_eps", 1e-6);
  tied_embeddings = config.bool_or("tie_word_embeddings", false);
  const bool attention_bias = type != "mistral" && config.bool_or("attention_bias", false);
  qkv_bias = type == "qwen2" || attention_bias;
  output_bias = attention_bias && type != "qwen2";
  mlp_bias = type == "llama" && config.bool_or("mlp_bias", false);
  qk_norm = type == "qwen3";
  activation = config.activation_or("hidden_act", "silu");
  read_window(config, type);
  init_std = config.number_or("initializer_range", 0.02);
  config.refuse_unknown();
  source_ = json;
}

/// Absent keys mean what transformers' classes have as defaults; null means no window.
void LlamaSpec::read_window(HfConfig& config, std::string_view type) {
  sliding_window = first_window_layer = 0;
  if (type == "llama") {
    config.ignore({"sliding_window"});
    return;
  }
  if (config.is_null("sliding_window")) {
    config.ignore({"use_sliding_window", "max_window_layers", "layer_types"});
    return;
  }
  const std::int64_t window = config.positive_or("sliding_window", 4096);
  if (type == "mistral") {
    sliding_window = window;
    config.ignore({"layer_types"});
    return;
  }
  first_window_layer = first_window_layer_of(config, layers);
  if (config.bool_or("use_sliding_window", false) && first_window_layer < layers) {
    sliding_window = window;
  } else {
    first_window_layer = 0;
  }
}

}  // namespace hone
