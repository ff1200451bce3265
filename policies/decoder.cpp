#include "policies/decoder.h"

#include <cmath>
#include <utility>

#include "nn/attention.h"
#include "nn/declare.h"
#include "nn/layers.h"
#include "nn/moe.h"
#include "nn/recompute.h"
#include "nn/rotary_tables.h"

namespace hone {

namespace {

using Tensors = std::vector<at::Tensor>;

struct Block {
  Norm input_norm, branch_norm, mlp_norm, mlp_branch_norm;
  Parameter qkv, qkv_bias, output, output_bias;
  Attention attention;
  Mlp mlp;
  Moe moe;  ///< no experts: mlp
};

class Decoder : public Policy {
 public:
  Decoder(DecoderForm form, Json hf_config, ParameterStore& store, bool with_lm_head);
  const PolicyShape& shape() const override { return shape_; }
  at::Tensor hidden(const at::Tensor& id_T, const Forward& forward) override;
  const LmHead& lm_head() const override { return lm_head_; }
  Json hf_config() const override { return hf_config_; }
  std::string hf_class(std::optional<HeadKind> kind) const override {
    return hf_class_of(form_.hf_family, form_.hf_family + "ForCausalLM", kind);
  }

 private:
  /// One block: {stream, what the block before produced and nobody has added to the stream yet} → the same two, then the
  /// logits of its router, if it has one.
  Tensors through(std::size_t layer, const Tensors& in, const RotaryPass& rotary, const PassDropout& drop, KvCache* cache) const;
  Block make_block(ParameterStore& store, std::size_t layer) const;
  void make_attention(ParameterStore& store, std::size_t layer, Block& block) const;
  Moe make_moe(ParameterStore& store, const std::string& name, const std::string& hf) const;
  Norm norm(ParameterStore& store, const std::string& name, const std::string& hf_module) const {
    return declare_rms_norm(store, name, hf_module, form_.hidden, form_.norm_eps, form_.norm_weight_offset);
  }
  /// Residual branches start small, so that the stream's variance does not grow with depth (Radford et al. 2019).
  double branch_std() const { return form_.init_std / std::sqrt(2.0 * static_cast<double>(form_.layers.size())); }

  ParameterStore& store_;
  DecoderForm form_;
  Json hf_config_;
  RotaryTables rotary_;
  PolicyShape shape_;
  Parameter embedding_;
  LmHead lm_head_;
  Norm final_norm_;
  std::vector<Block> blocks_;
};

Decoder::Decoder(DecoderForm form, Json hf_config, ParameterStore& store, bool with_lm_head)
    : store_(store),
      form_(std::move(form)),
      hf_config_(std::move(hf_config)),
      rotary_(form_.ropes, form_.attention.head_dim, form_.context) {
  shape_ = {.vocabulary = form_.vocabulary,
            .hidden = form_.hidden,
            .layers = static_cast<std::int64_t>(form_.layers.size()),
            .context = rotary_.context(),
            .attention = form_.attention,
            .switch_length = rotary_.switch_length(),
            .balance = form_.balance,
            .experts_a_token = form_.experts_a_token};
  embedding_ = declare_table(store, "embedding", "model.embed_tokens.weight", form_.vocabulary, form_.hidden,
                             form_.init_std, with_lm_head && form_.tied_embeddings);
  for (std::size_t layer = 0; layer < form_.layers.size(); ++layer) blocks_.push_back(make_block(store, layer));
  final_norm_ = norm(store, "norm", "model.norm");
  if (!with_lm_head) return;
  const Parameter weight = form_.tied_embeddings
                               ? embedding_
                               : declare_matrix(store, "lm_head", {{"lm_head.weight", form_.vocabulary, {}}},
                                                form_.hidden, form_.init_std, SegmentRole::lm_head);
  lm_head_ = LmHead({.weight_VD = weight, .soft_cap = form_.final_soft_cap});
}

Block Decoder::make_block(ParameterStore& store, std::size_t layer) const {
  const std::string name = fmt::format("layers.{}.", layer);
  const std::string hf = fmt::format("model.layers.{}.", layer);
  Block block;
  block.input_norm = norm(store, name + "input_norm", hf + "input_layernorm");
  make_attention(store, layer, block);
  if (form_.branch_norms) {
    block.branch_norm = norm(store, name + "branch_norm", hf + "post_attention_layernorm");
    block.mlp_norm = norm(store, name + "mlp_norm", hf + "pre_feedforward_layernorm");
  } else {
    block.mlp_norm = norm(store, name + "mlp_norm", hf + "post_attention_layernorm");
  }
  if (form_.layers[layer].sparse) {
    block.moe = make_moe(store, name, hf + form_.expert_names.module + ".");
  } else {
    const auto parts = [&](const char* what) -> std::vector<SegmentPart> {
      if (form_.fused_names) return {{hf + "mlp.gate_up_proj." + what, 2 * form_.mlp, {}}};
      return {{hf + "mlp.gate_proj." + what, form_.mlp, {}}, {hf + "mlp.up_proj." + what, form_.mlp, {}}};
    };
    block.mlp.activation = form_.activation;
    block.mlp.in_FD = declare_matrix(store, name + "gate_up", parts("weight"), form_.hidden, form_.init_std);
    if (form_.mlp_bias) block.mlp.in_bias_F = declare_bias(store, name + "gate_up_bias", parts("bias"));
    block.mlp.out_DF = declare_matrix(store, name + "down", {{hf + "mlp.down_proj.weight", form_.hidden, {}}}, form_.mlp,
                                      branch_std());
    if (form_.mlp_bias) {
      block.mlp.out_bias_D = declare_bias(store, name + "down_bias", {{hf + "mlp.down_proj.bias", form_.hidden, {}}});
    }
  }
  if (form_.branch_norms) block.mlp_branch_norm = norm(store, name + "mlp_branch_norm", hf + "post_feedforward_layernorm");
  return block;
}

void Decoder::make_attention(ParameterStore& store, std::size_t layer, Block& block) const {
  const std::string name = fmt::format("layers.{}.", layer);
  const std::string hf = fmt::format("model.layers.{}.self_attn.", layer);
  const std::int64_t query_rows = form_.attention.query_width();
  const std::int64_t key_rows = form_.attention.kv_heads * form_.attention.head_dim;
  const auto parts = [&](const char* what) -> std::vector<SegmentPart> {
    if (form_.fused_names) return {{hf + "qkv_proj." + what, query_rows + 2 * key_rows, {}}};
    return {{hf + "q_proj." + what, query_rows, {}}, {hf + "k_proj." + what, key_rows, {}},
            {hf + "v_proj." + what, key_rows, {}}};
  };
  block.qkv = declare_matrix(store, name + "qkv", parts("weight"), form_.hidden, form_.init_std);
  if (form_.qkv_bias) block.qkv_bias = declare_bias(store, name + "qkv_bias", parts("bias"));
  const DecoderLayer& form = form_.layers[layer];
  block.attention = {.shape = form_.attention,
                     .window = form.window,
                     .scale = form_.attention_scale,
                     .soft_cap = form_.attention_soft_cap,
                     .norm_eps = form_.norm_eps,
                     .norm_weight_offset = form_.norm_weight_offset};
  if (form_.qk_norm) {
    const auto head_norm = [&](const char* ours, const char* theirs) {
      return declare_rms_norm(store, name + ours, hf + theirs, form_.attention.head_dim, form_.norm_eps,
                              form_.norm_weight_offset)
          .weight_D;
    };
    block.attention.query_norm_D = head_norm("query_norm", "q_norm");
    block.attention.key_norm_D = head_norm("key_norm", "k_norm");
  }
  block.output = declare_matrix(store, name + "output", {{hf + "o_proj.weight", form_.hidden, {}}}, query_rows, branch_std());
  if (form_.output_bias) {
    block.output_bias = declare_bias(store, name + "output_bias", {{hf + "o_proj.bias", form_.hidden, {}}});
  }
}

Moe Decoder::make_moe(ParameterStore& store, const std::string& name, const std::string& hf) const {
  const ExpertNames& names = form_.expert_names;
  Moe moe{.top_k = form_.experts_a_token, .normalize = form_.normalize_experts};
  moe.router_ED = declare_matrix(store, name + "router", {{hf + names.router + ".weight", form_.experts, {}}}, form_.hidden,
                                 form_.init_std);
  for (std::int64_t e = 0; e < form_.experts; ++e) {
    const std::string ours = fmt::format("{}experts.{}.", name, e);
    const std::string theirs = fmt::format("{}experts.{}.", hf, e);
    Mlp expert{.activation = form_.activation};
    expert.in_FD = declare_matrix(store, ours + "gate_up",
                                  {{theirs + names.gate + ".weight", form_.expert_mlp, {}},
                                   {theirs + names.up + ".weight", form_.expert_mlp, {}}},
                                  form_.hidden, form_.init_std);
    expert.out_DF = declare_matrix(store, ours + "down", {{theirs + names.down + ".weight", form_.hidden, {}}},
                                   form_.expert_mlp, branch_std());
    moe.experts.push_back(std::move(expert));
  }
  return moe;
}

Tensors Decoder::through(std::size_t layer, const Tensors& in, const RotaryPass& rotary, const PassDropout& drop,
                         KvCache* cache) const {
  const Block& block = blocks_[layer];
  const std::uint64_t place = 2 * static_cast<std::uint64_t>(layer) + 1;
  const Normed attention_in = add_norm(in[0], in[1], block.input_norm);
  Attention own = block.attention;
  own.rotary_table_P2H = rotary.tables[form_.layers[layer].rope];
  const at::Tensor mixed = attention(linear(attention_in.out_TD, block.qkv, block.qkv_bias), own, rotary.plan, cache,
                                     static_cast<std::int64_t>(layer));
  at::Tensor attended = linear(mixed, block.output, block.output_bias);
  if (form_.branch_norms) attended = normed(attended, block.branch_norm);
  const Normed mlp_in = add_norm(attention_in.sum_TD, drop(attended, place), block.mlp_norm);
  Tensors router_logits;
  at::Tensor branch = block.moe.experts.empty() ? mlp(mlp_in.out_TD, block.mlp)
                                                : moe(mlp_in.out_TD, block.moe, &router_logits);
  if (form_.branch_norms) branch = normed(branch, block.mlp_branch_norm);
  Tensors out{mlp_in.sum_TD, drop(branch, place + 1)};
  out.insert(out.end(), router_logits.begin(), router_logits.end());
  return out;
}

at::Tensor Decoder::hidden(const at::Tensor& id_T, const Forward& forward) {
  const RotaryPass rotary = rotary_.pass(*forward.plan);
  const PassDropout drop{forward.dropout, forward.dropout_key};
  at::Tensor stream = drop(scaled(forward.noised(embedding(id_T, embedding_)), form_.embedding_scale), 0);
  at::Tensor branch;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const Tensors out = checkpointed(
        store_, {stream, branch},
        [this, i, rotary, drop, cache = forward.cache](const Tensors& in) { return through(i, in, rotary, drop, cache); });
    stream = out[0];
    branch = out[1];
    if (forward.router_logits != nullptr) forward.router_logits->insert(forward.router_logits->end(), out.begin() + 2, out.end());
  }
  return add_norm(stream, branch, final_norm_).out_TD;
}

}  // namespace

std::unique_ptr<Policy> make_decoder(DecoderForm form, Json hf_config, ParameterStore& store, bool with_lm_head) {
  return std::make_unique<Decoder>(std::move(form), std::move(hf_config), store, with_lm_head);
}

}  // namespace hone
