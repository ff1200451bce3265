#include "policies/t5.h"

#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "nn/attention.h"
#include "nn/declare.h"
#include "nn/recompute.h"

namespace hone {

namespace {

using Tensors = std::vector<at::Tensor>;

struct Block {
  Norm self_norm, cross_norm, mlp_norm;
  Parameter qkv, output;
  Parameter query, key_value, cross_output;  ///< decoder only
  Mlp mlp;
};

struct Stack {
  const char* dropout_stream = "";
  bool decodes = false;
  Parameter bias_BH;  ///< of relative positions, shared by the blocks
  Attention attention;
  std::vector<Block> blocks;
  Norm final_norm;
};

/// What the blocks of one pass share.
struct Pass {
  kernels::AttentionPlan plan;
  KvCache* cache = nullptr;
  PassDropout drop;
  kernels::AttentionPlan source_plan;  ///< decoder only, as in SourceSide
  KvCache* source_cache = nullptr;
};

class T5 : public Policy {
 public:
  T5(const T5Spec& spec, ParameterStore& store, bool with_lm_head);
  const PolicyShape& shape() const override { return shape_; }
  at::Tensor hidden(const at::Tensor& id_T, const Forward& forward) override;
  at::Tensor encode(const at::Tensor& id_U, const Forward& forward) override {
    return through(encoder_, id_U, forward);
  }
  void store_source(const SourceSide& source) override;
  const LmHead& lm_head() const override { return lm_head_; }
  HeadForm head_form(HeadKind kind) const override;
  Json hf_config() const override { return spec_.hf_config(); }
  std::string hf_class(std::optional<HeadKind> kind) const override {
    return hf_class_of("T5", spec_.encoder_alone ? "T5EncoderModel" : "T5ForConditionalGeneration", kind);
  }
  std::string hf_prefix() const override { return prefix_; }
  bool is_redundant(std::string_view name) const override;

 private:
  Stack make_stack(ParameterStore& store, const std::string& name, std::int64_t layers, bool decodes) const;
  Block make_block(ParameterStore& store, const std::string& name, const std::string& hf, bool decodes) const;
  at::Tensor through(const Stack& stack, const at::Tensor& id_T, const Forward& forward) const;
  /// One block: {stream, what the block before produced, relative bias, encoded source} → the first two.
  Tensors through_block(const Stack& stack, std::int64_t layer, const Tensors& in, const Pass& pass) const;
  at::Tensor cross_attended(const at::Tensor& query_TE, std::int64_t layer, const SourceSide& source) const;

  ParameterStore& store_;
  T5Spec spec_;
  PolicyShape shape_;
  std::string prefix_;
  Parameter embedding_;
  Stack encoder_, decoder_;
  LmHead lm_head_;
};

T5::T5(const T5Spec& spec, ParameterStore& store, bool with_lm_head)
    : store_(store), spec_(spec.resolved()), prefix_(with_lm_head ? "" : "transformer.") {
  shape_ = {.kind = spec_.encoder_alone ? PolicyKind::encoder : PolicyKind::encoder_decoder,
            .vocabulary = spec_.vocabulary_size,
            .hidden = spec_.hidden,
            .layers = spec_.encoder_alone ? spec_.layers : spec_.decoder_layers,
            .context = spec_.context,
            .attention = {spec_.heads, spec_.heads, spec_.head_dim},
            .decoder_start = static_cast<std::int32_t>(spec_.decoder_start)};
  embedding_ = declare_table(store, "embedding", prefix_ + "shared.weight", spec_.vocabulary_size, spec_.hidden,
                             spec_.init_factor, with_lm_head && spec_.tied_embeddings && !spec_.encoder_alone);
  encoder_ = make_stack(store, "encoder", spec_.layers, false);
  if (spec_.encoder_alone) return;
  decoder_ = make_stack(store, "decoder", spec_.decoder_layers, true);
  if (!with_lm_head) return;
  const double of_hidden = 1 / std::sqrt(static_cast<double>(spec_.hidden));
  LmHead::Form form;
  form.weight_VD = spec_.tied_embeddings
                       ? embedding_
                       : declare_matrix(store, "lm_head", {{"lm_head.weight", spec_.vocabulary_size, {}}}, spec_.hidden,
                                        spec_.init_factor * of_hidden, SegmentRole::lm_head);
  if (*spec_.scale_lm_input) form.input_scale = of_hidden;
  lm_head_ = LmHead(std::move(form));
}

Stack T5::make_stack(ParameterStore& store, const std::string& name, std::int64_t layers, bool decodes) const {
  Stack stack{.dropout_stream = decodes ? "dropout decoder" : "dropout encoder", .decodes = decodes};
  stack.attention = {.shape = shape_.attention,
                     .kind = decodes ? kernels::AttentionKind::causal : kernels::AttentionKind::bidirectional,
                     .scale = 1};
  const std::string hf = prefix_ + name;
  stack.bias_BH =
      store.add({.name = name + ".relative_bias",
                 .shape = {spec_.buckets, spec_.heads},
                 .parts = {{hf + ".block.0.layer.0.SelfAttention.relative_attention_bias.weight", spec_.buckets, {}}},
                 .init = normal_init(spec_.init_factor / std::sqrt(static_cast<double>(spec_.hidden))),
                 .decay = false});
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    stack.blocks.push_back(make_block(store, fmt::format("{}.layers.{}.", name, layer),
                                      fmt::format("{}.block.{}.layer.", hf, layer), decodes));
  }
  stack.final_norm = declare_rms_norm(store, name + ".norm", hf + ".final_layer_norm", spec_.hidden, spec_.norm_eps);
  return stack;
}

/// The deviations are those of the models' reference code (Raffel et al. 2020, mesh_tensorflow), where a query matrix
/// has one smaller by sqrt(head_dim) in place of scaled scores. In the fused matrix queries, keys and values share the
/// geometric mean of those of queries and keys; the output matrix makes up for it.
Block T5::make_block(ParameterStore& store, const std::string& name, const std::string& hf, bool decodes) const {
  const std::int64_t inner = shape_.attention.query_width();
  const double of_hidden = spec_.init_factor / std::sqrt(static_cast<double>(spec_.hidden));
  const double of_inner = spec_.init_factor / std::sqrt(static_cast<double>(inner));
  const double of_mlp = spec_.init_factor / std::sqrt(static_cast<double>(spec_.mlp));
  const double root = std::sqrt(static_cast<double>(spec_.head_dim));
  const auto part = [&](std::string_view theirs, std::int64_t rows) {
    return SegmentPart{fmt::format("{}{}.weight", hf, theirs), rows, {}};
  };
  const auto matrix = [&](const char* ours, std::vector<SegmentPart> parts, std::int64_t columns, double deviation) {
    return declare_matrix(store, name + ours, std::move(parts), columns, deviation);
  };
  const auto norm = [&](const char* ours, const std::string& theirs) {
    return declare_rms_norm(store, name + ours, hf + theirs, spec_.hidden, spec_.norm_eps);
  };
  Block block;
  block.self_norm = norm("self_norm", "0.layer_norm");
  block.qkv = matrix(
      "qkv", {part("0.SelfAttention.q", inner), part("0.SelfAttention.k", inner), part("0.SelfAttention.v", inner)},
      spec_.hidden, of_hidden / std::sqrt(root));
  block.output = matrix("output", {part("0.SelfAttention.o", spec_.hidden)}, inner, of_inner * std::sqrt(root));
  if (decodes) {
    block.cross_norm = norm("cross_norm", "1.layer_norm");
    block.query = matrix("query", {part("1.EncDecAttention.q", inner)}, spec_.hidden, of_hidden / root);
    block.key_value = matrix("key_value", {part("1.EncDecAttention.k", inner), part("1.EncDecAttention.v", inner)},
                             spec_.hidden, of_hidden);
    block.cross_output = matrix("cross_output", {part("1.EncDecAttention.o", spec_.hidden)}, inner, of_inner);
  }
  const std::string last = decodes ? "2." : "1.";
  block.mlp_norm = norm("mlp_norm", last + "layer_norm");
  const auto dense = [&](const char* theirs, std::int64_t rows) {
    return part(last + "DenseReluDense." + theirs, rows);
  };
  block.mlp = {.in_FD = spec_.gated ? matrix("gate_up", {dense("wi_0", spec_.mlp), dense("wi_1", spec_.mlp)},
                                             spec_.hidden, of_hidden)
                                    : matrix("up", {dense("wi", spec_.mlp)}, spec_.hidden, of_hidden),
               .out_DF = matrix("down", {dense("wo", spec_.hidden)}, spec_.mlp, of_mlp),
               .activation = *spec_.activation,
               .gated = spec_.gated};
  return block;
}

at::Tensor T5::cross_attended(const at::Tensor& query_TE, std::int64_t layer, const SourceSide& source) const {
  if (source.cache == nullptr) {
    const Parameter& key_value = decoder_.blocks[static_cast<std::size_t>(layer)].key_value;
    return cross_attention(query_TE, linear(source.encoded_UD, key_value), decoder_.attention, *source.plan);
  }
  kernels::AttentionPlan plan = *source.plan;
  plan.scale = decoder_.attention.scale;
  return kernels::attention_cross_cached(query_TE, shape_.attention, plan, source.cache->layer(layer));
}

Tensors T5::through_block(const Stack& stack, std::int64_t layer, const Tensors& in, const Pass& pass) const {
  const Block& block = stack.blocks[static_cast<std::size_t>(layer)];
  std::uint64_t place = 1 + (stack.decodes ? 3 : 2) * static_cast<std::uint64_t>(layer);
  Normed normed = add_norm(in[0], in[1], block.self_norm);
  at::Tensor branch = pass.drop(
      linear(attention(linear(normed.out_TD, block.qkv), stack.attention, pass.plan, pass.cache, layer, in[2]), block.output),
      place++);
  if (stack.decodes) {
    normed = add_norm(normed.sum_TD, branch, block.cross_norm);
    const SourceSide source{.encoded_UD = in[3], .plan = &pass.source_plan, .cache = pass.source_cache};
    branch = pass.drop(linear(cross_attended(linear(normed.out_TD, block.query), layer, source), block.cross_output), place++);
  }
  normed = add_norm(normed.sum_TD, branch, block.mlp_norm);
  return {normed.sum_TD, pass.drop(mlp(normed.out_TD, block.mlp), place)};
}

at::Tensor T5::through(const Stack& stack, const at::Tensor& id_T, const Forward& forward) const {
  Pass pass{.plan = *forward.plan, .cache = forward.cache,
            .drop = {forward.dropout, forward.dropout_key, stack.dropout_stream}};
  at::Tensor encoded_UD;
  if (stack.decodes) {
    encoded_UD = forward.source->encoded_UD;
    pass.source_plan = *forward.source->plan;
    pass.source_cache = forward.source->cache;
  }
  // Distances beyond max_distance share their bias, so the table need not reach further whatever the sequences' length.
  const at::Tensor bias_HR = relative_bias(stack.bias_BH, spec_.max_distance + 1, spec_.max_distance, !stack.decodes);
  at::Tensor stream = pass.drop(embedding(id_T, embedding_), 0);
  at::Tensor branch;
  const auto layers = static_cast<std::int64_t>(stack.blocks.size());
  for (std::int64_t i = 0; i < layers; ++i) {
    const Tensors out = checkpointed(store_, {stream, branch, bias_HR, encoded_UD},
                                     [this, &stack, i, pass](const Tensors& in) { return through_block(stack, i, in, pass); });
    stream = out[0];
    branch = out[1];
  }
  const std::uint64_t last = 1 + static_cast<std::uint64_t>((stack.decodes ? 3 : 2) * layers);
  return pass.drop(add_norm(stream, branch, stack.final_norm).out_TD, last);
}

at::Tensor T5::hidden(const at::Tensor& id_T, const Forward& forward) {
  if (spec_.encoder_alone) return through(encoder_, id_T, forward);
  HONE_ASSERT(forward.source != nullptr && forward.source->plan != nullptr);
  return through(decoder_, id_T, forward);
}

void T5::store_source(const SourceSide& source) {
  HONE_ASSERT(source.cache != nullptr && source.plan != nullptr && !spec_.encoder_alone);
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < decoder_.blocks.size(); ++i) {
    kernels::attention_store_keys(linear(source.encoded_UD, decoder_.blocks[i].key_value), shape_.attention,
                                  *source.plan, source.cache->layer(static_cast<std::int64_t>(i)));
  }
}

HeadForm T5::head_form(HeadKind kind) const {
  if (kind == HeadKind::tokens && spec_.encoder_alone)
    return {.linear = "classifier", .bias = true, .rows = HeadRows::all};
  if ((kind == HeadKind::classes || kind == HeadKind::reward) && !spec_.encoder_alone) {
    return {.linear = "classification_head.out_proj", .bias = true, .dense = "classification_head.dense"};
  }
  if (kind == HeadKind::value) return Policy::head_form(kind);
  fail(
      ErrorKind::config,
      "T5 has no head of this kind: the whole model takes one for sequences (T5ForSequenceClassification), its encoder "
      "alone one for tokens (T5ForTokenClassification); this is {}",
      spec_.encoder_alone ? "the encoder alone" : "the whole model");
}

bool T5::is_redundant(std::string_view name) const {
  if (name.ends_with("coder.embed_tokens.weight")) return true;  // the shared embedding again
  // Files of the first T5 checkpoints have this table, which no code reads.
  if (name.ends_with("decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight")) return true;
  if (!lm_head_.defined() && name.ends_with("lm_head.weight")) return true;
  return spec_.encoder_alone && name.starts_with(prefix_ + "decoder.");
}

}  // namespace

std::unique_ptr<Policy> T5Spec::make(ParameterStore& store, bool with_lm_head) const {
  HONE_ASSERT(vocabulary_size > 0);
  return std::make_unique<T5>(*this, store, with_lm_head);
}

}  // namespace hone
