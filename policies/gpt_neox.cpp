#include "policies/gpt_neox.h"

#include <cmath>

#include "base/error.h"
#include "nn/attention.h"
#include "nn/declare.h"
#include "nn/recompute.h"
#include "nn/rotary_tables.h"
#include "policies/hf_config.h"

namespace hone {

namespace {

using Tensors = std::vector<at::Tensor>;

struct Block {
  Norm attention_norm, mlp_norm;
  Parameter qkv, qkv_bias, output, output_bias;
  Mlp mlp;
};

class GptNeox : public Policy {
 public:
  GptNeox(const GptNeoxSpec& spec, ParameterStore& store, bool with_lm_head);
  const PolicyShape& shape() const override { return shape_; }
  at::Tensor hidden(const at::Tensor& id_T, const Forward& forward) override;
  const LmHead& lm_head() const override { return lm_head_; }
  Json hf_config() const override { return spec_.hf_config(); }
  std::string hf_class(std::optional<HeadKind> kind) const override {
    return hf_class_of("GPTNeoX", "GPTNeoXForCausalLM", kind);
  }
  std::string hf_prefix() const override { return "gpt_neox."; }
  HeadForm head_form(HeadKind kind) const override {
    HeadForm form = Policy::head_form(kind);
    if (kind == HeadKind::tokens) form.linear = "classifier";
    return form;
  }
  bool is_redundant(std::string_view name) const override {
    return name.ends_with("rotary_emb.inv_freq") || name.ends_with(".attention.bias") ||
           name.ends_with(".attention.masked_bias");
  }

 private:
  /// One block: {stream, what the block before produced and nobody has added to the stream yet} → the same two.
  Tensors through(std::int64_t layer, const Tensors& in, const RotaryPass& rotary, const PassDropout& drop, KvCache* cache) const;
  Block make_block(ParameterStore& store, std::int64_t layer) const;

  ParameterStore& store_;
  GptNeoxSpec spec_;
  PolicyShape shape_;
  Parameter embedding_;
  RotaryTables rotary_;
  Norm final_norm_;
  LmHead lm_head_;
  std::vector<Block> blocks_;
};

GptNeox::GptNeox(const GptNeoxSpec& spec, ParameterStore& store, bool with_lm_head)
    : store_(store), spec_(spec), rotary_({spec.rope()}, spec.hidden / spec.heads, spec.context) {
  if (spec_.mlp == 0) spec_.mlp = 4 * spec_.hidden;
  shape_ = {.vocabulary = spec_.vocabulary_size,
            .hidden = spec_.hidden,
            .layers = spec_.layers,
            .context = rotary_.context(),
            .attention = {spec_.heads, spec_.heads, spec_.hidden / spec_.heads},
            .switch_length = rotary_.switch_length()};
  embedding_ = declare_table(store, "embedding", "gpt_neox.embed_in.weight", spec_.vocabulary_size, spec_.hidden,
                             spec_.init_std, with_lm_head && spec_.tied_embeddings);
  for (std::int64_t layer = 0; layer < spec_.layers; ++layer) blocks_.push_back(make_block(store, layer));
  final_norm_ = declare_layer_norm(store, "norm", "gpt_neox.final_layer_norm", spec_.hidden, spec_.norm_eps);
  if (!with_lm_head) return;
  lm_head_ = LmHead({.weight_VD = spec_.tied_embeddings
                                      ? embedding_
                                      : declare_matrix(store, "lm_head", {{"embed_out.weight", spec_.vocabulary_size, {}}},
                                                       spec_.hidden, spec_.init_std, SegmentRole::lm_head)});
}

Block GptNeox::make_block(ParameterStore& store, std::int64_t layer) const {
  const std::string name = fmt::format("layers.{}.", layer);
  const std::string hf = fmt::format("gpt_neox.layers.{}.", layer);
  const double branch_std = spec_.init_std / std::sqrt(2.0 * static_cast<double>(spec_.layers));
  const auto matrix = [&](const char* ours, const char* theirs, std::int64_t rows, std::int64_t columns, double deviation) {
    return declare_matrix(store, name + ours, {{hf + theirs + ".weight", rows, {}}}, columns, deviation);
  };
  const auto bias = [&](const char* ours, const char* theirs, std::int64_t rows) {
    return declare_bias(store, name + ours, {{hf + theirs + ".bias", rows, {}}});
  };
  const auto norm = [&](const char* ours, const char* theirs) {
    return declare_layer_norm(store, name + ours, hf + theirs, spec_.hidden, spec_.norm_eps);
  };
  // The files keep query, key and value of a head together.
  const PartLayout by_head{.outer = spec_.heads, .inner = 3};
  const std::string fused = hf + "attention.query_key_value";
  Block block;
  block.attention_norm = norm("attention_norm", "input_layernorm");
  block.qkv = declare_matrix(store, name + "qkv", {{fused + ".weight", 3 * spec_.hidden, by_head}}, spec_.hidden,
                             spec_.init_std);
  block.output = matrix("output", "attention.dense", spec_.hidden, spec_.hidden, branch_std);
  if (spec_.attention_bias) {
    block.qkv_bias = declare_bias(store, name + "qkv_bias", {{fused + ".bias", 3 * spec_.hidden, by_head}});
    block.output_bias = bias("output_bias", "attention.dense", spec_.hidden);
  }
  block.mlp_norm = norm("mlp_norm", "post_attention_layernorm");
  block.mlp = {.in_FD = matrix("up", "mlp.dense_h_to_4h", spec_.mlp, spec_.hidden, spec_.init_std),
               .in_bias_F = bias("up_bias", "mlp.dense_h_to_4h", spec_.mlp),
               .out_DF = matrix("down", "mlp.dense_4h_to_h", spec_.hidden, spec_.mlp, branch_std),
               .out_bias_D = bias("down_bias", "mlp.dense_4h_to_h", spec_.hidden),
               .activation = spec_.activation,
               .gated = false};
  return block;
}

Tensors GptNeox::through(std::int64_t layer, const Tensors& in, const RotaryPass& rotary, const PassDropout& drop,
                         KvCache* cache) const {
  const Block& block = blocks_[static_cast<std::size_t>(layer)];
  const std::uint64_t place = 2 * static_cast<std::uint64_t>(layer) + 1;
  const Normed attention_in = add_norm(in[0], in[1], block.attention_norm);
  const Attention own{.shape = shape_.attention, .rotary_table_P2H = rotary.tables[0]};
  const at::Tensor mixed =
      attention(linear(attention_in.out_TD, block.qkv, block.qkv_bias), own, rotary.plan, cache, layer);
  const at::Tensor attended = drop(linear(mixed, block.output, block.output_bias), place);
  if (spec_.parallel) {
    const at::Tensor stream = attention_in.sum_TD;
    return {stream, attended + drop(mlp(normed(stream, block.mlp_norm), block.mlp), place + 1)};
  }
  const Normed mlp_in = add_norm(attention_in.sum_TD, attended, block.mlp_norm);
  return {mlp_in.sum_TD, drop(mlp(mlp_in.out_TD, block.mlp), place + 1)};
}

at::Tensor GptNeox::hidden(const at::Tensor& id_T, const Forward& forward) {
  const RotaryPass rotary = rotary_.pass(*forward.plan);
  const PassDropout drop{forward.dropout, forward.dropout_key};
  at::Tensor stream = drop(forward.noised(embedding(id_T, embedding_)), 0);
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

}  // namespace

void GptNeoxSpec::describe(Fields& f) {
  f.field("vocabulary", vocabulary_size, "Number of token ids; 0 takes the tokenizer's.", at_least(0));
  f.field("hidden", hidden, "Width of the residual stream.", at_least(1));
  f.field("layers", layers, "Number of blocks.", at_least(1));
  f.field("heads", heads, "Attention heads.", at_least(1));
  f.field("mlp", mlp, "Inner width of the MLP; 0: 4 times hidden.", at_least(0));
  f.field("context", context, "Longest sequence in tokens.", at_least(2));
  f.field("rotary_share", rotary_share, "Part of each head that the rotary embedding turns.",
          Range{.low = 0, .high = 1, .open_low = true});
  f.field("rope_theta", rope_theta, "Base of the rotary embedding.", above(0));
  f.field("norm_eps", norm_eps, "Added to the variance in layer norms.", above(0));
  f.field("parallel", parallel, "Attention and MLP read the same stream, side by side.");
  f.field("tied_embeddings", tied_embeddings, "The LM head uses the embedding's weights.");
  f.field("init_std", init_std, "Standard deviation of new matrices.", above(0));
  f.check(heads < 1 || hidden % heads == 0, "heads", "must divide hidden");
}

void GptNeoxSpec::from_hf(const Json& json) {
  HfConfig config(json);
  vocabulary_size = config.positive("vocab_size");
  hidden = config.positive("hidden_size");
  layers = config.positive("num_hidden_layers");
  heads = config.positive("num_attention_heads");
  if (hidden % heads != 0) cannot_honour("num_attention_heads", fmt::format("no divisor of hidden_size {}", hidden));
  mlp = config.positive("intermediate_size");
  context = config.positive_or("max_position_embeddings", 2048);
  rope_ = rope_from_hf(json, {.max_positions = context,
                              .rotary_share = 0.25,
                              .theta_key = "rotary_emb_base",
                              .share_key = "rotary_pct"});
  config.ignore({"rotary_emb_base", "rotary_pct", "partial_rotary_factor"});
  rope_theta = rope_->theta;
  rotary_share = rope_->rotary_share;
  norm_eps = config.number_or("layer_norm_eps", 1e-5);
  parallel = config.bool_or("use_parallel_residual", true);
  attention_bias = config.bool_or("attention_bias", true);
  activation = config.activation_or("hidden_act", "gelu");
  tied_embeddings = config.bool_or("tie_word_embeddings", false);
  init_std = config.number_or("initializer_range", 0.02);
  config.refuse_unknown();
  source_ = json;
}

RopeScaling GptNeoxSpec::rope() const {
  return rope_.value_or(RopeScaling{.theta = rope_theta, .rotary_share = rotary_share, .max_positions = context});
}

Json GptNeoxSpec::hf_config() const {
  if (source_) return *source_;
  Json config = Json::object();
  config.set("model_type", "gpt_neox");
  config.set("vocab_size", vocabulary_size);
  config.set("hidden_size", hidden);
  config.set("num_hidden_layers", layers);
  config.set("num_attention_heads", heads);
  config.set("intermediate_size", mlp);
  config.set("max_position_embeddings", context);
  config.set("rotary_emb_base", rope_theta);
  config.set("rotary_pct", rotary_share);
  config.set("layer_norm_eps", norm_eps);
  config.set("use_parallel_residual", parallel);
  config.set("attention_bias", attention_bias);
  config.set("hidden_act", hf_activation(activation));
  config.set("tie_word_embeddings", tied_embeddings);
  config.set("initializer_range", init_std);
  config.set("attention_dropout", 0.0);
  config.set("hidden_dropout", 0.0);
  return config;
}

std::unique_ptr<Policy> GptNeoxSpec::make(ParameterStore& store, bool with_lm_head) const {
  HONE_ASSERT(vocabulary_size > 0);
  return std::make_unique<GptNeox>(*this, store, with_lm_head);
}

}  // namespace hone
