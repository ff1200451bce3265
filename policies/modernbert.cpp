#include "policies/modernbert.h"

#include <utility>

#include "base/error.h"
#include "nn/attention.h"
#include "nn/declare.h"
#include "nn/recompute.h"
#include "nn/rotary_tables.h"

namespace hone {

namespace {

using Tensors = std::vector<at::Tensor>;

struct Block {
  Norm attention_norm;  ///< none in the first block: the embeddings are normed
  Norm mlp_norm;
  Parameter qkv, qkv_bias, output, output_bias;
  Attention attention;
  Mlp mlp;
};

class ModernBert : public Policy {
 public:
  ModernBert(const ModernBertSpec& spec, ParameterStore& store, bool with_lm_head);
  const PolicyShape& shape() const override { return shape_; }
  at::Tensor hidden(const at::Tensor& id_T, const Forward& forward) override;
  const LmHead& lm_head() const override { return lm_head_; }
  Json hf_config() const override { return spec_.hf_config(); }
  std::string hf_class(std::optional<HeadKind> kind) const override {
    return hf_class_of("ModernBert", "ModernBertForMaskedLM", kind);
  }
  HeadForm head_form(HeadKind kind) const override;
  bool is_redundant(std::string_view name) const override {
    return name == "decoder.weight" || Policy::is_redundant(name);
  }

 private:
  /// One block: {stream, what the block before produced and nobody has added to the stream yet} → the same two.
  Tensors through(std::int64_t layer, const Tensors& in, const RotaryPass& rotary, const PassDropout& drop, KvCache* cache) const;
  Block make_block(ParameterStore& store, std::int64_t layer) const;
  void make_lm_head(ParameterStore& store);

  ParameterStore& store_;
  ModernBertSpec spec_;
  PolicyShape shape_;
  Parameter words_;
  Norm embeddings_norm_, final_norm_;
  RotaryTables rotary_;  ///< of layers that see all tokens, then of local ones
  LmHead lm_head_;
  std::vector<Block> blocks_;
};

ModernBert::ModernBert(const ModernBertSpec& spec, ParameterStore& store, bool with_lm_head)
    : store_(store), spec_(spec.complete()) {
  const std::int64_t head_dim = spec_.hidden / spec_.heads;
  rotary_ = RotaryTables({*spec_.global_rope, *spec_.local_rope}, head_dim, spec_.context);
  shape_ = {.kind = PolicyKind::encoder,
            .vocabulary = spec_.vocabulary_size,
            .hidden = spec_.hidden,
            .layers = spec_.layers,
            .context = rotary_.context(),
            .attention = {spec_.heads, spec_.heads, head_dim}};
  words_ = declare_table(store, "embedding", "model.embeddings.tok_embeddings.weight", spec_.vocabulary_size,
                         spec_.hidden, spec_.init_std, with_lm_head && spec_.tied_embeddings);
  embeddings_norm_ = declare_layer_norm(store, "embeddings_norm", "model.embeddings.norm", spec_.hidden, spec_.norm_eps,
                                        spec_.norm_bias);
  for (std::int64_t layer = 0; layer < spec_.layers; ++layer) blocks_.push_back(make_block(store, layer));
  final_norm_ = declare_layer_norm(store, "norm", "model.final_norm", spec_.hidden, spec_.norm_eps, spec_.norm_bias);
  if (with_lm_head) make_lm_head(store);
}

void ModernBert::make_lm_head(ParameterStore& store) {
  LmHead::Form form;
  const SegmentRole role = SegmentRole::lm_head;
  form.transform.dense_DD = declare_matrix(store, "lm_dense", {{"head.dense.weight", spec_.hidden, {}}}, spec_.hidden,
                                           spec_.init_std, role);
  if (spec_.head_bias) form.transform.bias_D = declare_bias(store, "lm_dense.bias", {{"head.dense.bias", spec_.hidden, {}}}, role);
  form.transform.activation = spec_.head_activation;
  form.transform.norm = declare_layer_norm(store, "lm_norm", "head.norm", spec_.hidden, spec_.norm_eps, spec_.norm_bias, role);
  form.weight_VD = spec_.tied_embeddings ? words_
                                         : declare_matrix(store, "lm_head", {{"decoder.weight", spec_.vocabulary_size, {}}},
                                                          spec_.hidden, spec_.init_std, role);
  if (spec_.decoder_bias) form.bias_V = declare_bias(store, "lm_head.bias", {{"decoder.bias", spec_.vocabulary_size, {}}}, role);
  lm_head_ = LmHead(std::move(form));
}

Block ModernBert::make_block(ParameterStore& store, std::int64_t layer) const {
  const std::string name = fmt::format("layers.{}.", layer);
  const std::string hf = fmt::format("model.layers.{}.", layer);
  const auto matrix = [&](const char* ours, const char* theirs, std::int64_t rows, std::int64_t columns) {
    return declare_matrix(store, name + ours, {{hf + theirs + ".weight", rows, {}}}, columns, spec_.init_std);
  };
  const auto bias = [&](bool wanted, const char* ours, const char* theirs, std::int64_t rows) {
    return wanted ? declare_bias(store, name + ours, {{hf + theirs + ".bias", rows, {}}}) : Parameter();
  };
  const auto norm = [&](const char* ours, const char* theirs) {
    return declare_layer_norm(store, name + ours, hf + theirs, spec_.hidden, spec_.norm_eps, spec_.norm_bias);
  };
  const bool local = spec_.local[static_cast<std::size_t>(layer)];
  Block block;
  if (layer > 0) block.attention_norm = norm("attention_norm", "attn_norm");
  block.qkv = matrix("qkv", "attn.Wqkv", 3 * spec_.hidden, spec_.hidden);
  block.qkv_bias = bias(spec_.attention_bias, "qkv_bias", "attn.Wqkv", 3 * spec_.hidden);
  block.output = matrix("output", "attn.Wo", spec_.hidden, spec_.hidden);
  block.output_bias = bias(spec_.attention_bias, "output_bias", "attn.Wo", spec_.hidden);
  block.attention = {.shape = shape_.attention,
                     .kind = kernels::AttentionKind::bidirectional,
                     .window = local ? spec_.local_attention / 2 + 1 : 0};
  block.mlp_norm = norm("mlp_norm", "mlp_norm");
  block.mlp = {.in_FD = matrix("gate_up", "mlp.Wi", 2 * spec_.mlp, spec_.hidden),
               .in_bias_F = bias(spec_.mlp_bias, "gate_up_bias", "mlp.Wi", 2 * spec_.mlp),
               .out_DF = matrix("down", "mlp.Wo", spec_.hidden, spec_.mlp),
               .out_bias_D = bias(spec_.mlp_bias, "down_bias", "mlp.Wo", spec_.hidden),
               .activation = spec_.activation};
  return block;
}

Tensors ModernBert::through(std::int64_t layer, const Tensors& in, const RotaryPass& rotary, const PassDropout& drop,
                            KvCache* cache) const {
  const Block& block = blocks_[static_cast<std::size_t>(layer)];
  const std::uint64_t place = 2 * static_cast<std::uint64_t>(layer) + 1;
  const Normed attention_in = layer == 0 ? Normed{in[0], in[0]} : add_norm(in[0], in[1], block.attention_norm);
  Attention own = block.attention;
  own.rotary_table_P2H = rotary.tables[spec_.local[static_cast<std::size_t>(layer)] ? 1 : 0];
  const at::Tensor mixed =
      attention(linear(attention_in.out_TD, block.qkv, block.qkv_bias), own, rotary.plan, cache, layer);
  const at::Tensor attended = drop(linear(mixed, block.output, block.output_bias), place);
  const Normed mlp_in = add_norm(attention_in.sum_TD, attended, block.mlp_norm);
  return {mlp_in.sum_TD, drop(mlp(mlp_in.out_TD, block.mlp), place + 1)};
}

at::Tensor ModernBert::hidden(const at::Tensor& id_T, const Forward& forward) {
  const RotaryPass rotary = rotary_.pass(*forward.plan);
  const PassDropout drop{forward.dropout, forward.dropout_key};
  at::Tensor stream = drop(normed(embedding(id_T, words_), embeddings_norm_), 0);
  at::Tensor branch;
  for (std::int64_t i = 0; i < spec_.layers; ++i) {
    const Tensors out = checkpointed(store_, {stream, branch},
                                     [this, i, rotary, drop, cache = forward.cache](const Tensors& in) {
                                       return through(i, in, rotary, drop, cache);
                                     });
    stream = out[0];
    branch = out[1];
  }
  return add_norm(stream, branch, final_norm_).out_TD;
}

HeadForm ModernBert::head_form(HeadKind kind) const {
  if (kind == HeadKind::value) return Policy::head_form(kind);
  HeadForm form = {.linear = "classifier",
                   .bias = true,
                   .rows = spec_.mean_pooling ? HeadRows::mean : HeadRows::first,
                   .dense = "head.dense",
                   .dense_bias = spec_.head_bias,
                   .activation = spec_.head_activation,
                   .norm = "head.norm",
                   .norm_bias = spec_.norm_bias,
                   .norm_eps = spec_.norm_eps};
  if (kind == HeadKind::tokens || kind == HeadKind::spans) form.rows = HeadRows::all;
  return form;
}

}  // namespace

std::unique_ptr<Policy> ModernBertSpec::make(ParameterStore& store, bool with_lm_head) const {
  HONE_ASSERT(vocabulary_size > 0);
  return std::make_unique<ModernBert>(*this, store, with_lm_head);
}

}  // namespace hone
