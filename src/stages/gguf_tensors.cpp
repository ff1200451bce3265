#include "stages/gguf_tensors.h"

#include "base/error.h"
#include "io/tensor_values.h"

#include <algorithm>
#include <map>
#include <set>

namespace hone {
namespace {

enum class Change { none, pair_q_rows, pair_k_rows, add_one, transpose };
enum class Bias { none, optional, required };

struct Rule {
  std::string_view from;
  std::string_view to;
  Change change = Change::none;
  Bias bias = Bias::none;
};

/// Tensors of one family. `{}` in a name is the expert's number.
struct Family {
  std::string_view model_type;
  std::string_view layer_prefix;  ///< before the layer's number
  std::vector<Rule> global;
  std::vector<Rule> layer;
  std::vector<Rule> experts;
  std::string_view output = "lm_head";
};

constexpr Rule kEmbedding = {"model.embed_tokens", "token_embd"};
constexpr Rule kOutputNorm = {"model.norm", "output_norm"};
constexpr Rule kGemmaOutputNorm = {"model.norm", "output_norm", Change::add_one};

std::vector<Rule> join(std::vector<Rule> first, const std::vector<Rule>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// Attention of Llama, whose rotary embedding llama.cpp applies to neighbouring values.
std::vector<Rule> llama_attention() {
  return {{"input_layernorm", "attn_norm"},
          {"self_attn.q_proj", "attn_q", Change::pair_q_rows, Bias::optional},
          {"self_attn.k_proj", "attn_k", Change::pair_k_rows, Bias::optional},
          {"self_attn.v_proj", "attn_v", Change::none, Bias::optional},
          {"self_attn.o_proj", "attn_output", Change::none, Bias::optional},
          {"post_attention_layernorm", "ffn_norm"}};
}

std::vector<Rule> qwen_attention() {
  return {{"input_layernorm", "attn_norm"},
          {"self_attn.q_proj", "attn_q", Change::none, Bias::optional},
          {"self_attn.k_proj", "attn_k", Change::none, Bias::optional},
          {"self_attn.v_proj", "attn_v", Change::none, Bias::optional},
          {"self_attn.o_proj", "attn_output"},
          {"post_attention_layernorm", "ffn_norm"}};
}

std::vector<Rule> gated_mlp(Bias bias = Bias::none) {
  return {{"mlp.gate_proj", "ffn_gate", Change::none, bias},
          {"mlp.up_proj", "ffn_up", Change::none, bias},
          {"mlp.down_proj", "ffn_down", Change::none, bias}};
}

std::vector<Rule> head_norms(Change change) {
  return {{"self_attn.q_norm", "attn_q_norm", change}, {"self_attn.k_norm", "attn_k_norm", change}};
}

std::vector<Rule> gemma_layer() {
  return join({{"input_layernorm", "attn_norm", Change::add_one},
               {"self_attn.q_proj", "attn_q"},
               {"self_attn.k_proj", "attn_k"},
               {"self_attn.v_proj", "attn_v"},
               {"self_attn.o_proj", "attn_output"}},
              gated_mlp());
}

std::vector<Rule> gemma2_layer() {
  return join(gemma_layer(), {{"post_attention_layernorm", "post_attention_norm", Change::add_one},
                              {"pre_feedforward_layernorm", "ffn_norm", Change::add_one},
                              {"post_feedforward_layernorm", "post_ffw_norm", Change::add_one}});
}

std::vector<Rule> phi3_layer() {
  return {{"input_layernorm", "attn_norm"},    {"self_attn.qkv_proj", "attn_qkv"},
          {"self_attn.o_proj", "attn_output"}, {"post_attention_layernorm", "ffn_norm"},
          {"mlp.gate_up_proj", "ffn_up"},      {"mlp.down_proj", "ffn_down"}};
}

std::vector<Rule> gpt2_layer() {
  return {{"ln_1", "attn_norm", Change::none, Bias::required},
          {"attn.c_attn", "attn_qkv", Change::transpose, Bias::required},
          {"attn.c_proj", "attn_output", Change::transpose, Bias::required},
          {"ln_2", "ffn_norm", Change::none, Bias::required},
          {"mlp.c_fc", "ffn_up", Change::transpose, Bias::required},
          {"mlp.c_proj", "ffn_down", Change::transpose, Bias::required}};
}

const std::vector<Family>& families() {
  static const std::vector<Rule> usual = {kEmbedding, kOutputNorm};
  static const std::vector<Rule> gemma = {kEmbedding, kGemmaOutputNorm};
  static const std::vector<Rule> llama = join(llama_attention(), gated_mlp(Bias::optional));
  static const std::vector<Family> all = {
      {"llama", "model.layers.", usual, llama, {}},
      {"mistral", "model.layers.", usual, llama, {}},
      {"mixtral",
       "model.layers.",
       usual,
       join(llama_attention(), {{"block_sparse_moe.gate", "ffn_gate_inp"}}),
       {{"block_sparse_moe.experts.{}.w1", "ffn_gate_exps"},
        {"block_sparse_moe.experts.{}.w3", "ffn_up_exps"},
        {"block_sparse_moe.experts.{}.w2", "ffn_down_exps"}}},
      {"qwen2", "model.layers.", usual, join(qwen_attention(), gated_mlp()), {}},
      {"qwen3", "model.layers.", usual, join(join(qwen_attention(), head_norms(Change::none)), gated_mlp()), {}},
      {"qwen3_moe",
       "model.layers.",
       usual,
       join(join(qwen_attention(), head_norms(Change::none)), {{"mlp.gate", "ffn_gate_inp"}}),
       {{"mlp.experts.{}.gate_proj", "ffn_gate_exps"},
        {"mlp.experts.{}.up_proj", "ffn_up_exps"},
        {"mlp.experts.{}.down_proj", "ffn_down_exps"}}},
      {"phi3", "model.layers.", usual, phi3_layer(), {}},
      {"gemma",
       "model.layers.",
       gemma,
       join(gemma_layer(), {{"post_attention_layernorm", "ffn_norm", Change::add_one}}),
       {}},
      {"gemma2", "model.layers.", gemma, gemma2_layer(), {}},
      {"gemma3_text", "model.layers.", gemma, join(gemma2_layer(), head_norms(Change::add_one)), {}},
      {"gpt2",
       "transformer.h.",
       {{"transformer.wte", "token_embd"},
        {"transformer.wpe", "position_embd"},
        {"transformer.ln_f", "output_norm", Change::none, Bias::required}},
       gpt2_layer(),
       {}}};
  return all;
}

const Family* family_of(std::string_view model_type) {
  const auto found = std::find_if(families().begin(), families().end(),
                                  [&](const Family& family) { return family.model_type == model_type; });
  return found == families().end() ? nullptr : &*found;
}

/// Rows 0, n/2, 1, n/2 + 1 … of each head of n rows: halves that rotate together become neighbours.
void pair_rows(const std::vector<float>& from, std::int64_t rows, std::int64_t heads, float* to) {
  const auto columns = static_cast<std::int64_t>(from.size()) / std::max<std::int64_t>(rows, 1);
  const std::int64_t size = rows / heads, half = size / 2;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t place = row % size;
    const std::int64_t target = row - place + (place % half) * 2 + place / half;
    std::copy_n(from.data() + row * columns, columns, to + target * columns);
  }
}

void transpose(const std::vector<float>& from, std::int64_t rows, std::int64_t columns, float* to) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column)
      to[column * rows + row] = from[static_cast<std::size_t>(row * columns + column)];
  }
}

/// Looks tensors up by name and remembers which were used.
class Collector {
 public:
  Collector(std::span<const TensorView> tensors, const GgufLayout& layout, GgufType type)
      : layout_(layout), type_(type) {
    for (const TensorView& tensor : tensors) by_name_.emplace(tensor.name, &tensor);
  }

  void add(const Rule& rule, const std::string& from, const std::string& to) {
    add_one(rule, from + ".weight", to + ".weight", true);
    if (rule.bias != Bias::none) add_one(rule, from + ".bias", to + ".bias", rule.bias == Bias::required);
  }

  void add_experts(const Rule& rule, const std::string& prefix, const std::string& to) {
    std::vector<const TensorView*> parts;
    for (std::int64_t expert = 0; expert < layout_.experts; ++expert) {
      parts.push_back(&take(prefix + fmt::format(fmt::runtime(rule.from), expert) + ".weight"));
      if (parts.back()->shape != parts.front()->shape) refuse_shape(*parts.back(), "the shape of the other experts");
    }
    if (parts.empty()) return;
    GgufTensor tensor{to + ".weight", parts.front()->shape, stored_type(*parts.front(), to), {}};
    tensor.shape.insert(tensor.shape.begin(), layout_.experts);
    const auto size = static_cast<std::int64_t>(*element_count(parts.front()->shape));
    tensor.fill = [parts, size](float* values) {
      for (std::size_t i = 0; i < parts.size(); ++i)
        copy_as_float32(*parts[i], values + static_cast<std::int64_t>(i) * size);
    };
    result_.push_back(std::move(tensor));
  }

  bool has(const std::string& name) const { return by_name_.count(name) != 0; }
  void ignore(const std::string& name) { used_.insert(name); }

  std::vector<GgufTensor> take_all() {
    for (const auto& [name, tensor] : by_name_) {
      const bool recomputed = name.ends_with("rotary_emb.inv_freq") || name.ends_with(".attn.bias") ||
                              name.ends_with(".attn.masked_bias");
      if (used_.count(name) == 0 && !recomputed) {
        fail(ErrorKind::data, "tensor {} has no place in a GGUF file of a {} model", name, layout_.model_type);
      }
    }
    return std::move(result_);
  }

 private:
  const TensorView& take(const std::string& name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) {
      fail(ErrorKind::data, "tensor {} is missing; a {} model with this config.json has it", name,
           layout_.model_type);
    }
    used_.insert(name);
    const TensorView& view = *found->second;
    if (view.shape.empty() || view.shape.size() > 2 || byte_count(view.dtype, view.shape) != view.bytes.size()) {
      refuse_shape(view, "one or two sizes that fit its bytes");
    }
    return view;
  }

  [[noreturn]] void refuse_shape(const TensorView& view, std::string_view expected) const {
    fail(ErrorKind::data, "tensor {} has shape {}, expected {}", view.name, shape_text(view.shape), expected);
  }

  GgufType stored_type(const TensorView& view, const std::string& to) const {
    if (view.shape.size() < 2 || to.ends_with("_norm") || to.ends_with("ffn_gate_inp") || to == "position_embd") {
      return GgufType::f32;
    }
    return type_;
  }

  void add_one(const Rule& rule, const std::string& from, const std::string& to, bool required) {
    if (!required && !has(from)) return;
    const TensorView& view = take(from);
    GgufTensor tensor{to, view.shape, stored_type(view, to.substr(0, to.rfind('.'))), {}};
    const std::int64_t heads = rule.change == Change::pair_q_rows ? layout_.heads : layout_.kv_heads;
    const bool paired = rule.change == Change::pair_q_rows || rule.change == Change::pair_k_rows;
    if (paired && (heads < 1 || view.shape[0] % (2 * heads) != 0)) {
      refuse_shape(view, fmt::format("an even number of rows for each of {} heads", heads));
    }
    const bool turned = rule.change == Change::transpose && view.shape.size() == 2;
    if (turned) std::swap(tensor.shape[0], tensor.shape[1]);
    tensor.fill = [&view, rule, heads, paired, turned](float* values) {
      if (!paired && !turned) {
        copy_as_float32(view, values);
        if (rule.change == Change::add_one) {
          for (std::uint64_t i = 0; i < *element_count(view.shape); ++i) values[i] += 1.0f;
        }
        return;
      }
      std::vector<float> source(*element_count(view.shape));
      copy_as_float32(view, source.data());
      turned ? transpose(source, view.shape[0], view.shape[1], values)
             : pair_rows(source, view.shape[0], heads, values);
    };
    result_.push_back(std::move(tensor));
  }

  const GgufLayout& layout_;
  GgufType type_;
  std::map<std::string, const TensorView*, std::less<>> by_name_;
  std::set<std::string, std::less<>> used_;
  std::vector<GgufTensor> result_;
};

}  // namespace

bool gguf_knows(std::string_view model_type) { return family_of(model_type) != nullptr; }

std::vector<GgufTensor> gguf_tensors(std::span<const TensorView> tensors, const GgufLayout& layout, GgufType type) {
  const Family* family = family_of(layout.model_type);
  HONE_ASSERT(family != nullptr);
  Collector collector(tensors, layout, type);
  for (const Rule& rule : family->global) collector.add(rule, std::string(rule.from), std::string(rule.to));
  const std::string output(family->output);
  if (layout.tied) {
    collector.ignore(output + ".weight");
  } else {
    collector.add({}, output, "output");
  }
  for (std::int64_t layer = 0; layer < layout.layers; ++layer) {
    const std::string from = fmt::format("{}{}.", family->layer_prefix, layer);
    const std::string to = fmt::format("blk.{}.", layer);
    for (const Rule& rule : family->layer)
      collector.add(rule, from + std::string(rule.from), to + std::string(rule.to));
    for (const Rule& rule : family->experts) collector.add_experts(rule, from, to + std::string(rule.to));
  }
  std::vector<GgufTensor> result = collector.take_all();
  for (GgufTensor& tensor : result) {
    if (tensor.type == GgufType::q8_0 && tensor.shape.back() % 32 != 0) tensor.type = GgufType::f16;
  }
  return result;
}

}  // namespace hone
