#include "policies/gpt2.h"

#include <cmath>

#include "base/error.h"
#include "nn/attention.h"
#include "nn/declare.h"
#include "nn/recompute.h"
#include "policies/hf_config.h"

namespace hone {

namespace {

using Tensors = std::vector<at::Tensor>;

struct Block {
  Norm attention_norm, mlp_norm;
  Parameter qkv, qkv_bias, output, output_bias;
  Attention attention;
  Mlp mlp;
};

class Gpt2 : public Policy {
 public:
  Gpt2(const Gpt2Spec& spec, ParameterStore& store, bool with_lm_head);
  const PolicyShape& shape() const override { return shape_; }
  at::Tensor hidden(const at::Tensor& id_T, const Forward& forward) override;
  const LmHead& lm_head() const override { return lm_head_; }
  Json hf_config() const override { return spec_.hf_config(); }
  std::string hf_class(std::optional<HeadKind> kind) const override {
    return hf_class_of("GPT2", "GPT2LMHeadModel", kind);
  }
  std::string hf_prefix() const override { return "transformer."; }
  HeadForm head_form(HeadKind kind) const override {
    HeadForm form = Policy::head_form(kind);
    if (kind == HeadKind::tokens) form.linear = "classifier";
    return form;
  }
  bool is_redundant(std::string_view name) const override {
    return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
  }

 private:
  /// One block: {stream, what the block before produced and nobody has added to the stream yet} → the same two.
  Tensors through(std::int64_t layer, const Tensors& in, const kernels::AttentionPlan& plan, const PassDropout& drop,
                  KvCache* cache) const;
  Block make_block(ParameterStore& store, std::int64_t layer) const;

  ParameterStore& store_;
  Gpt2Spec spec_;
  PolicyShape shape_;
  Parameter embedding_, positions_;
  Norm final_norm_;
  LmHead lm_head_;
  std::vector<Block> blocks_;
};

Gpt2::Gpt2(const Gpt2Spec& spec, ParameterStore& store, bool with_lm_head) : store_(store), spec_(spec) {
  if (spec_.mlp == 0) spec_.mlp = 4 * spec_.hidden;
  shape_ = {.vocabulary = spec_.vocabulary_size,
            .hidden = spec_.hidden,
            .layers = spec_.layers,
            .context = spec_.context,
            .attention = {spec_.heads, spec_.heads, spec_.hidden / spec_.heads}};
  embedding_ = declare_table(store, "embedding", "transformer.wte.weight", spec_.vocabulary_size, spec_.hidden,
                             spec_.init_std, with_lm_head && spec_.tied_embeddings);
  positions_ = declare_table(store, "positions", "transformer.wpe.weight", spec_.context, spec_.hidden, spec_.init_std);
  for (std::int64_t layer = 0; layer < spec_.layers; ++layer) blocks_.push_back(make_block(store, layer));
  final_norm_ = declare_layer_norm(store, "norm", "transformer.ln_f", spec_.hidden, spec_.norm_eps);
  if (!with_lm_head) return;
  lm_head_ = LmHead({.weight_VD = spec_.tied_embeddings
                                      ? embedding_
                                      : declare_matrix(store, "lm_head", {{"lm_head.weight", spec_.vocabulary_size, {}}},
                                                       spec_.hidden, spec_.init_std, SegmentRole::lm_head)});
}

Block Gpt2::make_block(ParameterStore& store, std::int64_t layer) const {
  const std::string name = fmt::format("layers.{}.", layer);
  const std::string hf = fmt::format("transformer.h.{}.", layer);
  const double branch_std = spec_.init_std / std::sqrt(2.0 * static_cast<double>(spec_.layers));
  // The files keep matrices as [in, out].
  const auto conv = [&](const char* ours, const char* theirs, std::int64_t rows, std::int64_t columns, double deviation) {
    return declare_matrix(store, name + ours, {{hf + theirs + ".weight", rows, {.transposed = true}}}, columns, deviation);
  };
  const auto bias = [&](const char* ours, const char* theirs, std::int64_t rows) {
    return declare_bias(store, name + ours, {{hf + theirs + ".bias", rows, {}}});
  };
  const auto norm = [&](const char* ours, const char* theirs) {
    return declare_layer_norm(store, name + ours, hf + theirs, spec_.hidden, spec_.norm_eps);
  };
  Block block;
  block.attention_norm = norm("attention_norm", "ln_1");
  block.qkv = conv("qkv", "attn.c_attn", 3 * spec_.hidden, spec_.hidden, spec_.init_std);
  block.qkv_bias = bias("qkv_bias", "attn.c_attn", 3 * spec_.hidden);
  block.output = conv("output", "attn.c_proj", spec_.hidden, spec_.hidden, branch_std);
  block.output_bias = bias("output_bias", "attn.c_proj", spec_.hidden);
  double scale = spec_.scale_attention ? 1.0 / std::sqrt(static_cast<double>(shape_.attention.head_dim)) : 1.0;
  if (spec_.scale_by_layer) scale /= static_cast<double>(layer + 1);
  block.attention = {.shape = shape_.attention, .scale = scale};
  block.mlp_norm = norm("mlp_norm", "ln_2");
  block.mlp = {.in_FD = conv("up", "mlp.c_fc", spec_.mlp, spec_.hidden, spec_.init_std),
               .in_bias_F = bias("up_bias", "mlp.c_fc", spec_.mlp),
               .out_DF = conv("down", "mlp.c_proj", spec_.hidden, spec_.mlp, branch_std),
               .out_bias_D = bias("down_bias", "mlp.c_proj", spec_.hidden),
               .activation = spec_.activation,
               .gated = false};
  return block;
}

Tensors Gpt2::through(std::int64_t layer, const Tensors& in, const kernels::AttentionPlan& plan, const PassDropout& drop,
                      KvCache* cache) const {
  const Block& block = blocks_[static_cast<std::size_t>(layer)];
  const std::uint64_t place = 2 * static_cast<std::uint64_t>(layer) + 1;
  const Normed attention_in = add_norm(in[0], in[1], block.attention_norm);
  const at::Tensor mixed =
      attention(linear(attention_in.out_TD, block.qkv, block.qkv_bias), block.attention, plan, cache, layer);
  const at::Tensor attended = drop(linear(mixed, block.output, block.output_bias), place);
  const Normed mlp_in = add_norm(attention_in.sum_TD, attended, block.mlp_norm);
  return {mlp_in.sum_TD, drop(mlp(mlp_in.out_TD, block.mlp), place + 1)};
}

at::Tensor Gpt2::hidden(const at::Tensor& id_T, const Forward& forward) {
  const PassDropout drop{forward.dropout, forward.dropout_key};
  at::Tensor stream = drop(forward.noised(embedding(id_T, embedding_)) + embedding(forward.plan->position_T, positions_), 0);
  at::Tensor branch;
  for (std::int64_t i = 0; i < spec_.layers; ++i) {
    const Tensors out = checkpointed(store_, {stream, branch},
                                     [this, i, plan = *forward.plan, drop, cache = forward.cache](const Tensors& in) {
                                       return through(i, in, plan, drop, cache);
                                     });
    stream = out[0];
    branch = out[1];
  }
  return add_norm(stream, branch, final_norm_).out_TD;
}

}  // namespace

void Gpt2Spec::describe(Fields& f) {
  f.field("vocabulary", vocabulary_size, "Number of token ids; 0 takes the tokenizer's.", at_least(0));
  f.field("hidden", hidden, "Width of the residual stream.", at_least(1));
  f.field("layers", layers, "Number of blocks.", at_least(1));
  f.field("heads", heads, "Attention heads.", at_least(1));
  f.field("mlp", mlp, "Inner width of the MLP; 0: 4 times hidden.", at_least(0));
  f.field("context", context, "Longest sequence in tokens.", at_least(2));
  f.field("norm_eps", norm_eps, "Added to the variance in layer norms.", above(0));
  f.field("tied_embeddings", tied_embeddings, "The LM head uses the embedding's weights.");
  f.field("init_std", init_std, "Standard deviation of new matrices.", above(0));
  f.check(heads < 1 || hidden % heads == 0, "heads", "must divide hidden");
}

void Gpt2Spec::from_hf(const Json& json) {
  HfConfig config(json);
  vocabulary_size = config.positive("vocab_size");
  hidden = config.positive("n_embd");
  layers = config.positive("n_layer");
  heads = config.positive("n_head");
  if (hidden % heads != 0) fail(ErrorKind::data, "n_head is {}, expected a divisor of n_embd ({})", heads, hidden);
  context = config.positive("n_positions");
  mlp = config.positive_or("n_inner", 4 * hidden);
  norm_eps = config.number_or("layer_norm_epsilon", 1e-5);
  init_std = config.number_or("initializer_range", 0.02);
  activation = config.activation_or("activation_function", "gelu_new");
  scale_attention = config.bool_or("scale_attn_weights", true);
  scale_by_layer = config.bool_or("scale_attn_by_inverse_layer_idx", false);
  tied_embeddings = config.bool_or("tie_word_embeddings", true);
  config.expect("add_cross_attention", false);
  config.ignore({"n_ctx", "reorder_and_upcast_attn", "summary_activation", "summary_proj_to_labels", "summary_type",
                 "summary_use_proj"});
  config.refuse_unknown();
  source_ = json;
}

Json Gpt2Spec::hf_config() const {
  if (source_) return *source_;
  Json config = Json::object();
  config.set("model_type", "gpt2");
  config.set("vocab_size", vocabulary_size);
  config.set("n_embd", hidden);
  config.set("n_layer", layers);
  config.set("n_head", heads);
  config.set("n_inner", mlp);
  config.set("n_positions", context);
  config.set("layer_norm_epsilon", norm_eps);
  config.set("initializer_range", init_std);
  config.set("activation_function", hf_activation(activation));
  config.set("tie_word_embeddings", tied_embeddings);
  for (const char* key : {"attn_pdrop", "embd_pdrop", "resid_pdrop"}) config.set(key, 0.0);
  return config;
}

std::unique_ptr<Policy> Gpt2Spec::make(ParameterStore& store, bool with_lm_head) const {
  HONE_ASSERT(vocabulary_size > 0);
  return std::make_unique<Gpt2>(*this, store, with_lm_head);
}

}  // namespace hone
