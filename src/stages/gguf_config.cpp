#include "stages/gguf_config.h"

#include "base/error.h"

#include <algorithm>
#include <array>
#include <limits>

namespace hone {
namespace {

/// Keys that do not change what a trained model computes, or that the vocabulary holds.
constexpr std::array<std::string_view, 46> kWithoutEffect = {"model_type",
                                                             "architectures",
                                                             "_name_or_path",
                                                             "name_or_path",
                                                             "auto_map",
                                                             "dtype",
                                                             "torch_dtype",
                                                             "transformers_version",
                                                             "use_cache",
                                                             "cache_implementation",
                                                             "gradient_checkpointing",
                                                             "initializer_range",
                                                             "attention_dropout",
                                                             "attn_pdrop",
                                                             "embd_pdrop",
                                                             "resid_pdrop",
                                                             "hidden_dropout",
                                                             "classifier_dropout",
                                                             "bos_token_id",
                                                             "eos_token_id",
                                                             "pad_token_id",
                                                             "unk_token_id",
                                                             "sep_token_id",
                                                             "decoder_start_token_id",
                                                             "output_router_logits",
                                                             "router_aux_loss_coef",
                                                             "router_jitter_noise",
                                                             "output_attentions",
                                                             "output_hidden_states",
                                                             "return_dict",
                                                             "id2label",
                                                             "label2id",
                                                             "problem_type",
                                                             "task_specific_params",
                                                             "summary_activation",
                                                             "summary_first_dropout",
                                                             "summary_proj_to_labels",
                                                             "summary_type",
                                                             "summary_use_proj",
                                                             "reorder_and_upcast_attn",
                                                             "is_decoder",
                                                             "n_ctx",
                                                             "max_window_layers",
                                                             "_sliding_window_pattern",
                                                             "sliding_window_pattern",
                                                             "vocab_size"};

}  // namespace

const Json* GgufConfig::find(std::string_view key) {
  read_.emplace(key);
  const Json* value = config_->find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

void GgufConfig::refuse(std::string_view key, const Json& value, std::string_view expected) const {
  fail(ErrorKind::data, "config.json: {} is {}, which GGUF cannot express for {}; expected {}", key, value.dump(),
       model_type(), expected);
}

std::int64_t GgufConfig::integer(std::string_view key) {
  const Json* value = find(key);
  if (value == nullptr) fail(ErrorKind::data, "config.json: {} is missing", key);
  if (!value->is_integer() || value->as_integer() < 0) {
    fail(ErrorKind::data, "config.json: {} is {}, expected a whole number", key, value->dump());
  }
  return value->as_integer();
}

std::int64_t GgufConfig::integer_or(std::string_view key, std::int64_t otherwise) {
  return find(key) == nullptr ? otherwise : integer(key);
}

double GgufConfig::number(std::string_view key) {
  const Json* value = find(key);
  if (value == nullptr) fail(ErrorKind::data, "config.json: {} is missing", key);
  if (!value->is_number()) fail(ErrorKind::data, "config.json: {} is {}, expected a number", key, value->dump());
  return value->as_number();
}

double GgufConfig::number_or(std::string_view key, double otherwise) {
  return find(key) == nullptr ? otherwise : number(key);
}

bool GgufConfig::flag_or(std::string_view key, bool otherwise) {
  const Json* value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_bool()) fail(ErrorKind::data, "config.json: {} is {}, expected true or false", key, value->dump());
  return value->as_bool();
}

void GgufConfig::require(std::string_view key, const Json& expected) {
  const Json* value = find(key);
  if (value != nullptr && *value != expected) refuse(key, *value, expected.dump());
}

void GgufConfig::put(std::string_view key, GgufValue value) {
  keys_.emplace_back(architecture_ + "." + std::string(key), std::move(value));
}

void GgufConfig::put_count(std::string_view key, std::int64_t value) {
  if (value > std::numeric_limits<std::uint32_t>::max()) {
    fail(ErrorKind::data, "config.json: {} is too large for {}.{}", value, architecture_, key);
  }
  put(key, static_cast<std::uint32_t>(value));
}

void GgufConfig::refuse_the_rest() const {
  for (const auto& [key, value] : config_->as_object()) {
    if (value.is_null() || read_.count(key) != 0) continue;
    if (std::find(kWithoutEffect.begin(), kWithoutEffect.end(), key) != kWithoutEffect.end()) continue;
    fail(ErrorKind::data, "config.json: {} ({}) is not known for {}, so it cannot be written to GGUF", key,
         value.dump(), model_type());
  }
}

}  // namespace hone
