#include "policies/llama.h"

#include <cmath>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "nn/layers.h"

namespace hone {

namespace {

struct Block {
  Parameter input_norm, qkv, qkv_bias, query_norm, key_norm, output, output_bias, mlp_norm, gate_up, down;
};

class Llama : public Policy {
 public:
  Llama(const LlamaSpec& spec, ParameterStore& store);
  const PolicyShape& shape() const override { return shape_; }
  at::Tensor hidden(const at::Tensor& id_T, const Forward& forward) override;
  Parameter lm_weight() const override { return lm_head_; }
  Json hf_config() const override;

 private:
  Block make_block(ParameterStore& store, std::int64_t layer) const;
  Parameter norm(ParameterStore& store, const std::string& name, const std::string& hf_name, std::int64_t size) const;
  Parameter matrix(ParameterStore& store, const std::string& name, std::vector<SegmentPart> parts,
                   std::int64_t columns, double deviation) const;
  Parameter bias(ParameterStore& store, const std::string& name, std::vector<SegmentPart> parts) const;

  LlamaSpec spec_;
  PolicyShape shape_;
  at::Tensor rotary_table_;
  Parameter embedding_, lm_head_, final_norm_;
  std::vector<Block> blocks_;
};

std::int64_t total_rows(const std::vector<SegmentPart>& parts) {
  std::int64_t rows = 0;
  for (const SegmentPart& part : parts) rows += part.rows;
  return rows;
}

struct FamilyMember {
  const char* model_type;
  const char* architecture;
};

/// The plain Llama class knows neither biases on q, k, v alone nor q/k norms nor windows: the member that does.
const FamilyMember& member_for(const LlamaSpec& spec) {
  static constexpr FamilyMember llama{"llama", "LlamaForCausalLM"};
  static constexpr FamilyMember mistral{"mistral", "MistralForCausalLM"};
  static constexpr FamilyMember qwen2{"qwen2", "Qwen2ForCausalLM"};
  static constexpr FamilyMember qwen3{"qwen3", "Qwen3ForCausalLM"};
  if (spec.qk_norm) return qwen3;
  if (spec.qkv_bias && !spec.output_bias) return qwen2;
  return spec.sliding_window > 0 ? mistral : llama;
}

Llama::Llama(const LlamaSpec& spec, ParameterStore& store) : spec_(spec) {
  if (spec_.kv_heads == 0) spec_.kv_heads = spec_.heads;
  if (spec_.head_dim == 0) spec_.head_dim = spec_.hidden / spec_.heads;
  if (spec_.mlp == 0) spec_.mlp = (spec_.hidden * 8 / 3 + 31) / 32 * 32;
  shape_ = {.vocabulary = spec_.vocabulary_size,
            .hidden = spec_.hidden,
            .layers = spec_.layers,
            .context = spec_.context,
            .attention = {spec_.heads, spec_.kv_heads, spec_.head_dim},
            .window = spec_.sliding_window};
  rotary_table_ = rotary_table(spec_.context, spec_.head_dim, spec_.rope_theta);
  embedding_ = matrix(store, "embedding", {{"model.embed_tokens.weight", spec_.vocabulary_size}}, spec_.hidden,
                      spec_.init_std);
  for (std::int64_t layer = 0; layer < spec_.layers; ++layer) blocks_.push_back(make_block(store, layer));
  final_norm_ = norm(store, "norm", "model.norm.weight", spec_.hidden);
  lm_head_ = spec_.tied_embeddings ? embedding_
                                   : matrix(store, "lm_head", {{"lm_head.weight", spec_.vocabulary_size}},
                                            spec_.hidden, spec_.init_std);
}

Block Llama::make_block(ParameterStore& store, std::int64_t layer) const {
  const std::string name = fmt::format("layers.{}.", layer);
  const std::string hf = "model.layers." + std::to_string(layer) + ".";
  const std::string attention = hf + "self_attn.";
  const std::int64_t query_rows = spec_.heads * spec_.head_dim;
  const std::int64_t key_rows = spec_.kv_heads * spec_.head_dim;
  const auto qkv_parts = [&](const char* what) -> std::vector<SegmentPart> {
    return {{attention + "q_proj." + what, query_rows},
            {attention + "k_proj." + what, key_rows},
            {attention + "v_proj." + what, key_rows}};
  };
  // Residual branches start small, so that the stream's variance does not grow with depth (Radford et al. 2019).
  const double branch_std = spec_.init_std / std::sqrt(2.0 * static_cast<double>(spec_.layers));
  Block block;
  block.input_norm = norm(store, name + "input_norm", hf + "input_layernorm.weight", spec_.hidden);
  block.qkv = matrix(store, name + "qkv", qkv_parts("weight"), spec_.hidden, spec_.init_std);
  if (spec_.qkv_bias) block.qkv_bias = bias(store, name + "qkv_bias", qkv_parts("bias"));
  if (spec_.qk_norm) {
    block.query_norm = norm(store, name + "query_norm", attention + "q_norm.weight", spec_.head_dim);
    block.key_norm = norm(store, name + "key_norm", attention + "k_norm.weight", spec_.head_dim);
  }
  block.output = matrix(store, name + "output", {{attention + "o_proj.weight", spec_.hidden}}, query_rows, branch_std);
  if (spec_.output_bias) {
    block.output_bias = bias(store, name + "output_bias", {{attention + "o_proj.bias", spec_.hidden}});
  }
  block.mlp_norm = norm(store, name + "mlp_norm", hf + "post_attention_layernorm.weight", spec_.hidden);
  block.gate_up = matrix(store, name + "gate_up",
                         {{hf + "mlp.gate_proj.weight", spec_.mlp}, {hf + "mlp.up_proj.weight", spec_.mlp}},
                         spec_.hidden, spec_.init_std);
  block.down = matrix(store, name + "down", {{hf + "mlp.down_proj.weight", spec_.hidden}}, spec_.mlp, branch_std);
  return block;
}

Parameter Llama::norm(ParameterStore& store, const std::string& name, const std::string& hf_name,
                      std::int64_t size) const {
  return store.add(
      {.name = name, .shape = {size}, .parts = {{hf_name, size}}, .init = constant_init(1), .decay = false});
}

Parameter Llama::matrix(ParameterStore& store, const std::string& name, std::vector<SegmentPart> parts,
                        std::int64_t columns, double deviation) const {
  const std::int64_t rows = total_rows(parts);
  return store.add({.name = name,
                    .shape = {rows, columns},
                    .parts = std::move(parts),
                    .init = normal_init(deviation),
                    .matrix = true});
}

Parameter Llama::bias(ParameterStore& store, const std::string& name, std::vector<SegmentPart> parts) const {
  const std::int64_t rows = total_rows(parts);
  return store.add(
      {.name = name, .shape = {rows}, .parts = std::move(parts), .init = constant_init(0), .decay = false});
}

at::Tensor Llama::hidden(const at::Tensor& id_T, const Forward& forward) {
  const auto drop = [&](const at::Tensor& x, std::uint64_t place) {
    return dropout(x, forward.dropout, stream_key(forward.dropout_key + place, "dropout"));
  };
  at::Tensor stream = drop(embedding(id_T, embedding_), 0);
  at::Tensor branch;  // what the last block produced and nobody has added to the stream yet
  for (std::int64_t i = 0; i < spec_.layers; ++i) {
    const Block& block = blocks_[static_cast<std::size_t>(i)];
    const std::uint64_t place = 2 * static_cast<std::uint64_t>(i) + 1;
    const Normed attention_in = add_rms_norm(stream, branch, block.input_norm, spec_.norm_eps);
    const RotaryAttention attention{shape_.attention, rotary_table_, block.query_norm, block.key_norm, spec_.norm_eps};
    const at::Tensor mixed = rotary_attention(linear(attention_in.out_TD, block.qkv, block.qkv_bias), attention,
                                              *forward.plan, forward.cache, i);
    const at::Tensor attended = drop(linear(mixed, block.output, block.output_bias), place);
    const Normed mlp_in = add_rms_norm(attention_in.sum_TD, attended, block.mlp_norm, spec_.norm_eps);
    branch = drop(gated_mlp(mlp_in.out_TD, block.gate_up, block.down), place + 1);
    stream = mlp_in.sum_TD;
  }
  return add_rms_norm(stream, branch, final_norm_, spec_.norm_eps).out_TD;
}

Json Llama::hf_config() const {
  const FamilyMember& member = member_for(spec_);
  Json config = Json::object();
  config.set("architectures", Json::Array{Json(member.architecture)});
  config.set("model_type", member.model_type);
  config.set("vocab_size", spec_.vocabulary_size);
  config.set("hidden_size", spec_.hidden);
  config.set("intermediate_size", spec_.mlp);
  config.set("num_hidden_layers", spec_.layers);
  config.set("num_attention_heads", spec_.heads);
  config.set("num_key_value_heads", spec_.kv_heads);
  config.set("head_dim", spec_.head_dim);
  config.set("hidden_act", "silu");
  config.set("max_position_embeddings", spec_.context);
  config.set("rope_theta", spec_.rope_theta);
  config.set("rms_norm_eps", spec_.norm_eps);
  config.set("tie_word_embeddings", spec_.tied_embeddings);
  config.set("attention_bias", spec_.qkv_bias && (spec_.output_bias || spec_.qk_norm));
  config.set("attention_dropout", 0.0);
  config.set("initializer_range", spec_.init_std);
  if (spec_.sliding_window > 0) {
    config.set("sliding_window", spec_.sliding_window);
    if (std::string_view(member.model_type) != "mistral") {
      config.set("use_sliding_window", true);
      config.set("max_window_layers", 0);
    }
  }
  return config;
}

}  // namespace

std::unique_ptr<Policy> LlamaSpec::make(ParameterStore& store) const {
  HONE_ASSERT(vocabulary_size > 0);
  return std::make_unique<Llama>(*this, store);
}

}  // namespace hone
