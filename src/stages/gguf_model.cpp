#include "stages/gguf_model.h"

#include "base/error.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "stages/gguf_config.h"
#include "stages/gguf_rope.h"
#include "stages/gguf_tensors.h"

#include <algorithm>
#include <cctype>

namespace hone {
namespace {

namespace fs = std::filesystem;

/// What write_gguf_model needs beside the keys.
struct Shape {
  GgufLayout layout;
  std::vector<GgufFactors> factors;
};

std::string architecture_of(const std::string& model_type) {
  if (model_type == "mistral" || model_type == "mixtral") return "llama";
  if (model_type == "qwen3_moe") return "qwen3moe";
  return model_type == "gemma3_text" ? "gemma3" : model_type;
}

/// Gemma 2 and 3: the window, and which layers have it when that is not every 2nd or all but every 6th.
void put_sliding_layers(GgufConfig& config, std::int64_t layers, std::int64_t period) {
  config.put_count("attention.sliding_window", config.integer("sliding_window"));
  const Json* kinds = config.find("layer_types");
  if (kinds == nullptr) return;
  if (static_cast<std::int64_t>(kinds->as_array().size()) != layers) {
    config.refuse("layer_types", *kinds, fmt::format("{} kinds", layers));
  }
  std::vector<bool> sliding;
  bool usual = true;
  for (const Json& kind : kinds->as_array()) {
    if (kind != Json("sliding_attention") && kind != Json("full_attention")) {
      config.refuse("layer_types", kind, "sliding_attention or full_attention");
    }
    const bool expected = static_cast<std::int64_t>(sliding.size()) % period != period - 1;
    sliding.push_back(kind == Json("sliding_attention"));
    usual = usual && sliding.back() == expected;
  }
  if (!usual) config.put("attention.sliding_window_pattern", GgufList(sliding));
}

void put_gemma(GgufConfig& config, const GgufLayout& layout, std::int64_t head) {
  const Json* act = config.find("hidden_act");  // Gemma's first files say "gelu" and mean the approximation
  if (act != nullptr && *act != Json("gelu") && *act != Json("gelu_pytorch_tanh")) {
    config.refuse("hidden_act", *act, "gelu_pytorch_tanh");
  }
  config.require("hidden_activation", Json("gelu_pytorch_tanh"));
  config.require("attention_bias", Json(false));
  config.require("use_bidirectional_attention", Json(false));
  if (config.architecture() == "gemma") return;
  const std::int64_t largest = config.architecture() == "gemma2" ? 46 : 62;  // their 27B models
  const std::int64_t scalar = layout.layers == largest ? config.integer("hidden_size") / layout.heads : head;
  if (config.number("query_pre_attn_scalar") != static_cast<double>(scalar)) {
    config.refuse("query_pre_attn_scalar", *config.find("query_pre_attn_scalar"), std::to_string(scalar));
  }
  if (config.architecture() == "gemma2") {
    for (const char* key : {"attn_logit_softcapping", "final_logit_softcapping"}) {
      if (config.find(key) == nullptr)
        fail(ErrorKind::data, "config.json: {} is null; llama.cpp always caps in gemma2", key);
      config.put(key, static_cast<float>(config.number(key)));
    }
  } else {
    if (const Json* cap = config.find("attn_logit_softcapping"))
      config.refuse("attn_logit_softcapping", *cap, "null");
    if (config.find("final_logit_softcapping") != nullptr) {
      config.put("final_logit_softcapping", static_cast<float>(config.number("final_logit_softcapping")));
    }
  }
  put_sliding_layers(config, layout.layers, config.architecture() == "gemma2" ? 2 : 6);
}

void put_experts(GgufConfig& config, GgufLayout& layout) {
  const bool mixtral = layout.model_type == "mixtral";
  layout.experts =
      config.find("num_experts") != nullptr ? config.integer("num_experts") : config.integer("num_local_experts");
  static_cast<void>(config.find("num_local_experts"));
  config.put_count("expert_count", layout.experts);
  config.put_count("expert_used_count", config.integer("num_experts_per_tok"));
  if (mixtral) return;
  config.put_count("expert_feed_forward_length", config.integer("moe_intermediate_size"));
  config.require("norm_topk_prob", Json(true));
  if (config.find("norm_topk_prob") == nullptr)
    fail(ErrorKind::data, "config.json: norm_topk_prob is missing; expected true");
  config.require("decoder_sparse_step", Json(1));
  config.require("mlp_only_layers", Json::array());
}

/// The window that llama.cpp does not apply, or 0.
std::int64_t ignored_window(GgufConfig& config, const std::string& type) {
  const bool always = type == "mistral" || type == "mixtral" || type == "phi3";
  const std::int64_t window = config.integer_or("sliding_window", 0);
  bool sliding = config.flag_or("use_sliding_window", always);
  if (const Json* kinds = config.find("layer_types")) {
    sliding = false;
    for (const Json& kind : kinds->as_array()) {
      sliding = sliding || kind == Json("sliding_attention");
      if (kind != Json("sliding_attention") && kind != Json("full_attention")) {
        config.refuse("layer_types", kind, "sliding_attention or full_attention");
      }
    }
  }
  return sliding ? window : 0;
}

Shape put_decoder(GgufConfig& config) {
  Shape shape;
  GgufLayout& layout = shape.layout;
  const bool gemma = config.architecture().starts_with("gemma");
  layout.model_type = config.model_type();
  layout.layers = config.integer("num_hidden_layers");
  layout.heads = config.integer("num_attention_heads");
  layout.kv_heads = config.integer_or("num_key_value_heads", layout.heads);
  layout.tied = config.flag_or("tie_word_embeddings", gemma);
  const std::int64_t width = config.integer("hidden_size"), context = config.integer("max_position_embeddings");
  if (layout.heads == 0 || layout.kv_heads == 0 || layout.heads % layout.kv_heads != 0) {
    config.refuse("num_key_value_heads", Json(layout.kv_heads), fmt::format("a divisor of {}", layout.heads));
  }
  const std::int64_t head = config.integer_or("head_dim", width / layout.heads);
  const std::int64_t window = gemma ? 0 : ignored_window(config, layout.model_type);
  config.put_count("block_count", layout.layers);
  config.put_count("context_length", window > 0 ? std::min(window, context) : context);
  config.put_count("embedding_length", width);
  config.put_count("feed_forward_length", config.integer("intermediate_size"));
  config.put_count("attention.head_count", layout.heads);
  config.put_count("attention.head_count_kv", layout.kv_heads);
  config.put("attention.layer_norm_rms_epsilon", static_cast<float>(config.number("rms_norm_eps")));
  config.put_count("attention.key_length", head);
  config.put_count("attention.value_length", head);
  config.put_count("vocab_size", config.integer("vocab_size"));
  if (layout.model_type == "mixtral" || layout.model_type == "qwen3_moe") put_experts(config, layout);
  const bool large_theta = layout.model_type == "mixtral" || layout.model_type == "gemma3_text";
  shape.factors = put_rope(config, head, context, large_theta ? 1e6 : 1e4);
  static_cast<void>(config.find("original_max_position_embeddings"));
  if (gemma) {
    put_gemma(config, layout, head);
    if (!layout.tied && config.architecture() != "gemma3") config.refuse("tie_word_embeddings", Json(false), "true");
    return shape;
  }
  config.require("hidden_act", Json("silu"));
  for (const char* key : {"attention_bias", "mlp_bias"})
    static_cast<void>(config.flag_or(key, false));  // tensors say it
  config.require("pretraining_tp", Json(1));
  return shape;
}

Shape put_gpt2(GgufConfig& config) {
  Shape shape;
  GgufLayout& layout = shape.layout;
  layout.model_type = config.model_type();
  layout.layers = config.integer("n_layer");
  layout.heads = layout.kv_heads = config.integer("n_head");
  layout.tied = config.flag_or("tie_word_embeddings", true);
  const std::int64_t width = config.integer("n_embd");
  config.put_count("block_count", layout.layers);
  config.put_count("context_length", config.integer("n_positions"));
  config.put_count("embedding_length", width);
  config.put_count("feed_forward_length", config.integer_or("n_inner", 4 * width));
  config.put_count("attention.head_count", layout.heads);
  config.put("attention.layer_norm_epsilon", static_cast<float>(config.number("layer_norm_epsilon")));
  config.put_count("vocab_size", config.integer("vocab_size"));
  const Json* activation = config.find("activation_function");
  if (activation != nullptr && *activation != Json("gelu_new") && *activation != Json("gelu_pytorch_tanh")) {
    config.refuse("activation_function", *activation, "gelu_new");
  }
  config.require("scale_attn_by_inverse_layer_idx", Json(false));
  config.require("scale_attn_weights", Json(true));
  config.require("add_cross_attention", Json(false));
  return shape;
}

/// llama.cpp's number for what most of the tensors are.
std::uint32_t file_type(GgufType type) {
  switch (type) {
    case GgufType::f32: return 0;
    case GgufType::f16: return 1;
    case GgufType::q8_0: return 7;
    case GgufType::bf16: break;
  }
  return 32;
}

/// llama.cpp takes a name with "phi-3" for the published model and does not load it without that model's tokens.
bool misleads(std::string name, const GgufVocabulary& vocabulary) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  if (name.find("phi-3") == std::string::npos && name.find("phi3") == std::string::npos) return false;
  const auto lacks = [&](const char* token) {
    return std::find(vocabulary.tokens.begin(), vocabulary.tokens.end(), token) == vocabulary.tokens.end();
  };
  return lacks("</s>") || lacks("<unk>") || lacks("<s>") || lacks("<|endoftext|>");
}

}  // namespace

void write_gguf_model(const fs::path& path, const GgufModel& model, GgufType type) {
  const std::string& model_type = model.config.at("model_type").as_string();
  if (!gguf_knows(model_type)) {
    fail(ErrorKind::data,
         "config.json: model_type is {}, which cannot be written to GGUF; expected llama, mistral, mixtral, qwen2, "
         "qwen3, "
         "qwen3_moe, phi3, gemma, gemma2, gemma3_text or gpt2",
         Json(model_type).dump());
  }
  GgufConfig config(model.config, architecture_of(model_type));
  Shape shape = model_type == "gpt2" ? put_gpt2(config) : put_decoder(config);
  config.refuse_the_rest();
  const std::int64_t vocabulary = config.integer("vocab_size");
  if (static_cast<std::int64_t>(model.vocabulary.tokens.size()) != vocabulary) {
    fail(ErrorKind::data, "config.json: vocab_size is {}, but the tokenizer has {} tokens", vocabulary,
         model.vocabulary.tokens.size());
  }
  std::vector<std::pair<std::string, GgufValue>> keys = {{"general.architecture", config.architecture()},
                                                         {"general.type", std::string("model")},
                                                         {"general.file_type", file_type(type)}};
  if (!misleads(model.name, model.vocabulary)) keys.emplace_back("general.name", model.name);
  if (type == GgufType::q8_0) keys.emplace_back("general.quantization_version", std::uint32_t{2});
  for (auto& key : config.keys()) keys.push_back(std::move(key));
  for (auto& key : gguf_vocabulary_keys(model.vocabulary)) keys.push_back(std::move(key));
  std::vector<GgufTensor> tensors;
  for (const GgufFactors& factors : shape.factors) {
    tensors.push_back(
        {factors.name, {static_cast<std::int64_t>(factors.values.size())}, GgufType::f32, [&factors](float* to) {
           std::copy(factors.values.begin(), factors.values.end(), to);
         }});
  }
  for (GgufTensor& tensor : gguf_tensors(model.tensors, shape.layout, type)) tensors.push_back(std::move(tensor));
  write_gguf(path, keys, tensors);
}

void export_gguf(const fs::path& directory, const fs::path& path, GgufType type) {
  const auto json = [&directory](const char* name) {
    const fs::path file = directory / name;
    return Json::parse(read_file(file), file.string());
  };
  const Safetensors weights = Safetensors::open(directory);
  GgufModel model{
      fs::absolute(directory).lexically_normal().filename().string(), json("config.json"), weights.tensors(), {}};
  const bool has_config = fs::exists(directory / "tokenizer_config.json");
  try {
    model.vocabulary =
        read_gguf_vocabulary(json("tokenizer.json"), has_config ? json("tokenizer_config.json") : Json(),
                             model.config, model.config.at("vocab_size").as_integer());
    const fs::path chat = directory / "chat_template.jinja";
    if (fs::exists(chat)) model.vocabulary.chat_template = read_file(chat);
    write_gguf_model(path, model, type);
  } catch (const Error& error) {
    fail(error.kind(), "{}: {}", directory.string(), error.what());
  }
}

}  // namespace hone
