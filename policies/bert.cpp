#include "policies/bert.h"

#include <utility>

#include "base/error.h"
#include "nn/attention.h"
#include "nn/declare.h"
#include "nn/recompute.h"
#include "policies/bert_names.h"

namespace hone {

namespace {

using Tensors = std::vector<at::Tensor>;

struct Block {
  Parameter qkv, qkv_bias, output, output_bias;
  Norm output_norm, mlp_norm;
  Mlp mlp;
};

class Bert : public Policy {
 public:
  Bert(const BertSpec& spec, ParameterStore& store, bool with_lm_head);
  const PolicyShape& shape() const override { return shape_; }
  at::Tensor hidden(const at::Tensor& id_T, const Forward& forward) override;
  const LmHead& lm_head() const override { return lm_head_; }
  Json hf_config() const override { return spec_.hf_config(); }
  std::string hf_class(std::optional<HeadKind> kind) const override {
    return hf_class_of(names_.family, names_.family + "ForMaskedLM", kind);
  }
  std::string hf_prefix() const override { return names_.prefix; }
  HeadForm head_form(HeadKind kind) const override;
  /// The pooler belongs to heads, which need not be there; next-sentence prediction is left over from pretraining.
  bool is_redundant(std::string_view name) const override {
    return name.ends_with("embeddings.position_ids") || name.ends_with("embeddings.token_type_ids") ||
           name.find("pooler.dense.") != std::string_view::npos || name == names_.lm_weight ||
           name.ends_with("decoder.bias") || name.starts_with("cls.seq_relationship.");
  }

 private:
  /// One block: {stream} → {stream}.
  Tensors through(std::int64_t layer, const Tensors& in, const kernels::AttentionPlan& plan, const PassDropout& drop,
                  KvCache* cache) const;
  Block make_block(ParameterStore& store, std::int64_t layer) const;
  void make_lm_head(ParameterStore& store);
  at::Tensor embedded(const at::Tensor& id_T, const Forward& forward) const;

  ParameterStore& store_;
  BertSpec spec_;
  const BertNames& names_;
  PolicyShape shape_;
  Parameter words_, positions_, types_;
  Norm embeddings_norm_;
  Attention attention_;
  LmHead lm_head_;
  std::vector<Block> blocks_;
};

Bert::Bert(const BertSpec& spec, ParameterStore& store, bool with_lm_head)
    : store_(store), spec_(spec), names_(bert_names(spec.family)) {
  if (spec_.mlp == 0) spec_.mlp = 4 * spec_.hidden;
  shape_ = {.kind = PolicyKind::encoder,
            .vocabulary = spec_.vocabulary_size,
            .hidden = spec_.hidden,
            .layers = spec_.layers,
            .context = spec_.context,
            .attention = {spec_.heads, spec_.heads, spec_.hidden / spec_.heads}};
  attention_ = {.shape = shape_.attention, .kind = kernels::AttentionKind::bidirectional};
  const auto table = [&](const char* name, const char* hf, std::int64_t rows, bool multiplies = false) {
    return declare_table(store, name, names_.prefix + "embeddings." + hf + ".weight", rows, spec_.hidden, spec_.init_std,
                         multiplies);
  };
  words_ = table("embedding", "word_embeddings", spec_.vocabulary_size, with_lm_head && spec_.tied_embeddings);
  positions_ = table("positions", "position_embeddings", spec_.context + spec_.first_position());
  if (spec_.types > 0) types_ = table("types", "token_type_embeddings", spec_.types);
  embeddings_norm_ = declare_layer_norm(store, "embeddings_norm", names_.prefix + names_.embeddings_norm, spec_.hidden,
                                        spec_.norm_eps);
  for (std::int64_t layer = 0; layer < spec_.layers; ++layer) blocks_.push_back(make_block(store, layer));
  if (with_lm_head) make_lm_head(store);
}

void Bert::make_lm_head(ParameterStore& store) {
  LmHead::Form form;
  form.transform.dense_DD = declare_matrix(store, "lm_dense", {{names_.lm_dense + ".weight", spec_.hidden, {}}},
                                           spec_.hidden, spec_.init_std, SegmentRole::lm_head);
  form.transform.bias_D = declare_bias(store, "lm_dense.bias", {{names_.lm_dense + ".bias", spec_.hidden, {}}},
                                       SegmentRole::lm_head);
  // RoBERTa's head has the exact GELU whatever the blocks have.
  form.transform.activation = spec_.family == BertKind::roberta ? kernels::Activation::gelu : spec_.activation;
  form.transform.norm = declare_layer_norm(store, "lm_norm", names_.lm_norm, spec_.hidden,
                                           spec_.family == BertKind::distilbert ? 1e-12 : spec_.norm_eps, true,
                                           SegmentRole::lm_head);
  form.weight_VD = spec_.tied_embeddings
                       ? words_
                       : declare_matrix(store, "lm_head", {{names_.lm_weight, spec_.vocabulary_size, {}}}, spec_.hidden,
                                        spec_.init_std, SegmentRole::lm_head);
  form.bias_V = declare_bias(store, "lm_head.bias", {{names_.lm_bias, spec_.vocabulary_size, {}}},
                             SegmentRole::lm_head);
  lm_head_ = LmHead(std::move(form));
}

Block Bert::make_block(ParameterStore& store, std::int64_t layer) const {
  const std::string name = fmt::format("layers.{}.", layer);
  const std::string hf = fmt::format("{}{}{}.", names_.prefix, names_.layer, layer);
  const auto matrix = [&](const char* ours, const std::string& theirs, std::int64_t rows, std::int64_t columns) {
    return declare_matrix(store, name + ours, {{hf + theirs + ".weight", rows, {}}}, columns, spec_.init_std);
  };
  const auto bias = [&](const char* ours, const std::string& theirs, std::int64_t rows) {
    return declare_bias(store, name + ours, {{hf + theirs + ".bias", rows, {}}});
  };
  const auto norm = [&](const char* ours, const std::string& theirs) {
    return declare_layer_norm(store, name + ours, hf + theirs, spec_.hidden, spec_.norm_eps);
  };
  const auto qkv_parts = [&](const char* what) -> std::vector<SegmentPart> {
    return {{hf + names_.query + what, spec_.hidden, {}},
            {hf + names_.key + what, spec_.hidden, {}},
            {hf + names_.value + what, spec_.hidden, {}}};
  };
  Block block;
  block.qkv = declare_matrix(store, name + "qkv", qkv_parts(".weight"), spec_.hidden, spec_.init_std);
  block.qkv_bias = declare_bias(store, name + "qkv_bias", qkv_parts(".bias"));
  block.output = matrix("output", names_.output, spec_.hidden, spec_.hidden);
  block.output_bias = bias("output_bias", names_.output, spec_.hidden);
  block.output_norm = norm("output_norm", names_.output_norm);
  block.mlp = {.in_FD = matrix("up", names_.up, spec_.mlp, spec_.hidden),
               .in_bias_F = bias("up_bias", names_.up, spec_.mlp),
               .out_DF = matrix("down", names_.down, spec_.hidden, spec_.mlp),
               .out_bias_D = bias("down_bias", names_.down, spec_.hidden),
               .activation = spec_.activation,
               .gated = false};
  block.mlp_norm = norm("mlp_norm", names_.mlp_norm);
  return block;
}

at::Tensor Bert::embedded(const at::Tensor& id_T, const Forward& forward) const {
  at::Tensor sum = embedding(id_T, words_);
  if (types_.defined()) {
    sum = sum + embedding(forward.type_T.defined() ? forward.type_T : at::zeros_like(id_T), types_);
  } else if (forward.type_T.defined()) {
    HONE_ASSERT(at::count_nonzero(forward.type_T).item<std::int64_t>() == 0);
  }
  sum = sum + embedding(forward.plan->position_T + spec_.first_position(), positions_);
  return normed(sum, embeddings_norm_);
}

Tensors Bert::through(std::int64_t layer, const Tensors& in, const kernels::AttentionPlan& plan, const PassDropout& drop,
                      KvCache* cache) const {
  const Block& block = blocks_[static_cast<std::size_t>(layer)];
  const std::uint64_t place = 2 * static_cast<std::uint64_t>(layer) + 1;
  const at::Tensor& stream = in[0];
  const at::Tensor mixed = attention(linear(stream, block.qkv, block.qkv_bias), attention_, plan, cache, layer);
  const at::Tensor attended = drop(linear(mixed, block.output, block.output_bias), place);
  const at::Tensor middle = add_norm(attended, stream, block.output_norm).out_TD;
  return {add_norm(drop(mlp(middle, block.mlp), place + 1), middle, block.mlp_norm).out_TD};
}

at::Tensor Bert::hidden(const at::Tensor& id_T, const Forward& forward) {
  const PassDropout drop{forward.dropout, forward.dropout_key};
  at::Tensor stream = drop(embedded(id_T, forward), 0);
  for (std::int64_t i = 0; i < spec_.layers; ++i) {
    stream = checkpointed(store_, {stream},
                          [this, i, plan = *forward.plan, drop, cache = forward.cache](const Tensors& in) {
                            return through(i, in, plan, drop, cache);
                          })[0];
  }
  return stream;
}

HeadForm Bert::head_form(HeadKind kind) const {
  switch (kind) {
    case HeadKind::tokens: return names_.tokens;
    case HeadKind::spans: return names_.spans;
    case HeadKind::value: return Policy::head_form(kind);
    default: return names_.classes;
  }
}

}  // namespace

std::unique_ptr<Policy> BertSpec::make(ParameterStore& store, bool with_lm_head) const {
  HONE_ASSERT(vocabulary_size > 0);
  return std::make_unique<Bert>(*this, store, with_lm_head);
}

}  // namespace hone
