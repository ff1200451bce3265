#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fields.h"
#include "base/json.h"
#include "kernels/attention/attention.h"
#include "nn/heads.h"
#include "nn/kv_cache.h"
#include "nn/parameter_store.h"

namespace hone {

enum class PolicyKind {
  decoder,         ///< causal: generates, and learns to predict the next token
  encoder,         ///< bidirectional: fills masks, classifies, embeds
  encoder_decoder  ///< reads a source, generates a target
};

/// What the rest of hone needs to know of a policy's shape.
struct PolicyShape {
  PolicyKind kind = PolicyKind::decoder;
  std::int64_t vocabulary = 0;
  std::int64_t hidden = 0;
  std::int64_t layers = 0;   ///< with a cache: those of the decoder
  std::int64_t context = 0;  ///< largest position + 1
  kernels::AttentionShape attention;
  std::int32_t decoder_start = 0;  ///< encoder-decoder: the id that every target begins with
  /// > 0: sequences of more tokens are computed with other rotary frequencies from their start (longrope), so that a
  /// sequence that is being generated must not grow beyond it.
  std::int64_t switch_length = 0;

  /// Mixtures of experts: coefficient of the load-balancing loss in supervised training, and its k.
  double balance = 0;
  std::int64_t experts_a_token = 0;

  /// How long a generation may become that starts from `tokens` tokens.
  std::int64_t reach(std::int64_t tokens) const {
    return switch_length > 0 && tokens <= switch_length ? switch_length : context;
  }
};

/// The source side of an encoder-decoder model.
struct SourceSide {
  at::Tensor encoded_UD;                         ///< Policy::encode; undefined when `cache` holds its keys and values
  const kernels::AttentionPlan* plan = nullptr;  ///< start_S1 of the targets and key_start_S1 of the sources; cached: page_SN, key_length_S
  KvCache* cache = nullptr;
};

/// One forward pass.
struct Forward {
  const kernels::AttentionPlan* plan = nullptr;  ///< borrowed for the call
  KvCache* cache = nullptr;                      ///< for cached plans; gradients off
  double dropout = 0;                            ///< 0 in rollout, scoring and evaluation
  std::uint64_t dropout_key = 0;                 ///< a new one each micro-batch
  at::Tensor type_T;                             ///< int32 token types; undefined: all 0
  const SourceSide* source = nullptr;            ///< encoder-decoder only
  at::Tensor embedding_noise_TD;  ///< added to the embeddings of decoders (NEFTune); undefined: nothing
  /// Where mixtures of experts put the router's logits [T, experts] of each layer, with gradients; null: nowhere.
  std::vector<at::Tensor>* router_logits = nullptr;

  at::Tensor noised(const at::Tensor& embedded_TD) const {
    return embedding_noise_TD.defined() ? embedded_TD + embedding_noise_TD : embedded_TD;
  }
};

/// A language model: ids in, hidden states out. Rollout and training call the very same `hidden`.
///
/// Call order: construction declares every segment in the store; after store.allocate() and store.refresh(), hidden*.
/// Threads: one caller at a time.
class Policy {
 public:
  virtual ~Policy() = default;
  virtual const PolicyShape& shape() const = 0;
  /// id_T (int32) → hidden states after the last norm, [T, D]. Encoder-decoder: of the decoder.
  virtual at::Tensor hidden(const at::Tensor& id_T, const Forward& forward) = 0;
  /// Not defined when the policy was made without one.
  virtual const LmHead& lm_head() const = 0;
  /// How this family's classes build a head; the defaults are those of causal decoders.
  virtual HeadForm head_form(HeadKind kind) const;
  /// What config.json must say so that transformers loads the weights, but for "architectures".
  virtual Json hf_config() const = 0;
  /// The transformers class of the model with this head; none: with the LM head.
  virtual std::string hf_class(std::optional<HeadKind> kind) const = 0;
  /// What the base model's tensors are called within the classes with heads ("model.", "bert."): checkpoints of the base
  /// model alone lack it.
  virtual std::string hf_prefix() const { return "model."; }
  /// Whether checkpoints may carry this tensor although the model has no place for it: tables that are recomputed.
  virtual bool is_redundant(std::string_view hf_name) const { return hf_name.ends_with("rotary_emb.inv_freq"); }

  /// Encoder-decoder: id_U of the packed sources → [U, D]. forward.plan is that of the sources.
  virtual at::Tensor encode(const at::Tensor& id_U, const Forward& forward);
  /// Encoder-decoder: puts what the decoder reads of encoded sources into the cache (source.plan: page_SN,
  /// key_start_S1).
  virtual void store_source(const SourceSide& source);
};

/// "Llama" → "LlamaForCausalLM", "LlamaForTokenClassification" …; `lm_class` names the one with the LM head.
std::string hf_class_of(std::string_view family, std::string_view lm_class, std::optional<HeadKind> kind);

/// The configuration of a policy family; one row of the table in src/app makes it.
class PolicySpec : public Component {
 public:
  /// Whether a Hugging Face config.json describes this family.
  virtual bool accepts(std::string_view model_type) const = 0;
  /// Fills the fields from config.json. Error{data} names the key that this family cannot honour.
  virtual void from_hf(const Json& config) = 0;
  /// Settles what config.json leaves open: `has` tells whether the files have the tensor of that name. After from_hf.
  virtual void from_tensors(const std::function<bool(std::string_view hf_name)>&) {}
  virtual std::unique_ptr<PolicySpec> clone() const = 0;
  /// Declares segments in the store; vocabulary ids run from 0 to vocabulary - 1. Without an LM head it declares none.
  virtual std::unique_ptr<Policy> make(ParameterStore& store, bool with_lm_head) const = 0;
  /// Vocabulary size; 0 until the tokenizer's is known.
  virtual std::int64_t& vocabulary() = 0;
};

}  // namespace hone
