#include "policies/hf_config.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"

namespace hone {

namespace {

/// What every config.json may say without changing a forward pass: provenance, token ids, labels, generation settings of
/// older files, dropout (hone has its own) and initialisation.
constexpr std::array harmless = {
    "architectures", "model_type", "transformers_version", "torch_dtype", "dtype", "use_cache", "_name_or_path",
    "_attn_implementation", "_attn_implementation_autoset", "attn_implementation", "_commit_hash",
    "bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "sep_token_id", "cls_token_id", "mask_token_id",
    "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id", "suppress_tokens", "begin_suppress_tokens",
    "bad_words_ids", "id2label", "label2id", "num_labels", "problem_type", "finetuning_task", "task_specific_params",
    "return_dict", "output_attentions", "output_hidden_states", "output_scores", "return_dict_in_generate", "torchscript",
    "use_return_dict", "tokenizer_class", "prefix", "max_length", "min_length", "do_sample", "early_stopping",
    "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p",
    "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size",
    "num_return_sequences", "exponential_decay_length_penalty", "remove_invalid_values", "chunk_size_feed_forward",
    "initializer_range", "initializer_factor", "attention_dropout", "hidden_dropout", "attention_probs_dropout_prob",
    "hidden_dropout_prob", "classifier_dropout", "embd_pdrop", "resid_pdrop", "attn_pdrop", "dropout_rate", "dropout",
    "summary_first_dropout", "gradient_checkpointing", "is_encoder_decoder", "auto_map", "pretraining_tp",
    "rope_theta", "rope_scaling", "rope_parameters", "cache_implementation", "output_past", "model_parallel",
    "directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head",
    "pooler_type"};

bool switches_nothing_on(const Json& value) {
  if (value.is_null()) return true;
  if (value.is_bool()) return !value.as_bool();
  if (value.is_number()) return value.as_number() == 0;
  if (value.is_array()) return value.as_array().empty();
  if (value.is_object()) return value.as_object().empty();
  return value.as_string().empty();
}

constexpr std::array<std::pair<std::string_view, kernels::Activation>, 9> activations = {{
    {"silu", kernels::Activation::silu},
    {"gelu", kernels::Activation::gelu},
    {"gelu_pytorch_tanh", kernels::Activation::gelu_tanh},
    {"relu", kernels::Activation::relu},
    {"tanh", kernels::Activation::tanh},
    {"swish", kernels::Activation::silu},
    {"gelu_new", kernels::Activation::gelu_tanh},
    {"gelu_python", kernels::Activation::gelu},
    {"gelu_fast", kernels::Activation::gelu_tanh},
}};

std::int64_t at_least_one(std::string_view key, std::int64_t value) {
  if (value < 1) fail(ErrorKind::data, "{} is {}, expected at least 1", key, value);
  return value;
}

}  // namespace

void cannot_honour(std::string_view key, const std::string& value) {
  fail(ErrorKind::data, "{} is {}, which this version cannot honour", key, value);
}

std::string hf_activation(kernels::Activation activation) {
  const auto* found = std::find_if(activations.begin(), activations.end(),
                                   [activation](const auto& row) { return row.second == activation; });
  return std::string(found->first);
}

bool HfConfig::is_null(std::string_view key) const {
  const Json* value = config_.find(key);
  return value != nullptr && value->is_null();
}

const Json* HfConfig::find(std::string_view key) {
  known_.emplace(key);
  const Json* value = config_.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::int64_t HfConfig::positive(std::string_view key) {
  known_.emplace(key);
  return at_least_one(key, config_.at(key).as_integer());
}

std::int64_t HfConfig::integer_or(std::string_view key, std::int64_t otherwise) {
  const Json* value = find(key);
  return value == nullptr ? otherwise : value->as_integer();
}

std::int64_t HfConfig::positive_or(std::string_view key, std::int64_t otherwise) {
  return at_least_one(key, integer_or(key, otherwise));
}

double HfConfig::number_or(std::string_view key, double otherwise) {
  const Json* value = find(key);
  return value == nullptr ? otherwise : value->as_number();
}

bool HfConfig::bool_or(std::string_view key, bool otherwise) {
  const Json* value = find(key);
  return value == nullptr ? otherwise : value->as_bool();
}

std::string HfConfig::string_or(std::string_view key, std::string_view otherwise) {
  const Json* value = find(key);
  return value == nullptr ? std::string(otherwise) : value->as_string();
}

kernels::Activation HfConfig::activation_or(std::string_view key, std::string_view otherwise) {
  const std::string name = string_or(key, otherwise);
  for (const auto& [known, kind] : activations) {
    if (known == name) return kind;
  }
  cannot_honour(key, '\'' + name + '\'');
}

void HfConfig::expect(std::string_view key, const Json& value) {
  const Json* found = find(key);
  if (found != nullptr && !(*found == value)) cannot_honour(key, found->dump());
}

void HfConfig::ignore(std::initializer_list<std::string_view> keys) { known_.insert(keys.begin(), keys.end()); }

void HfConfig::refuse_unknown() const {
  std::vector<std::string> unknown;
  for (const auto& [key, value] : config_.as_object()) {
    if (known_.count(key) > 0 || std::find(harmless.begin(), harmless.end(), key) != harmless.end()) continue;
    if (!switches_nothing_on(value)) unknown.push_back(fmt::format("{} ({})", key, value.dump()));
  }
  if (unknown.empty()) return;
  fail(ErrorKind::data,
       "unknown {} {}, which might change what the model computes; take {} out of config.json if you are sure that the "
       "numbers stay the same",
       unknown.size() == 1 ? "key" : "keys", fmt::join(unknown, ", "), unknown.size() == 1 ? "it" : "them");
}

}  // namespace hone
