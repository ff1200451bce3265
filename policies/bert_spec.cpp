#include <array>

#include "base/error.h"
#include "policies/bert.h"
#include "policies/hf_config.h"

namespace hone {

namespace {

constexpr std::array<std::string_view, 3> family_names = {"bert", "roberta", "distilbert"};

/// Keys of the same meaning.
struct Keys {
  const char *hidden, *layers, *heads, *mlp, *activation;
};
constexpr Keys long_names = {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act"};
constexpr Keys distilbert_names = {"dim", "n_layers", "n_heads", "hidden_dim", "activation"};

const Keys& keys_of(BertKind family) { return family == BertKind::distilbert ? distilbert_names : long_names; }

}  // namespace

void BertSpec::describe(Fields& f) {
  f.choice("family", family, family_names, "Whose names and details the files have.");
  f.field("vocabulary", vocabulary_size, "Number of token ids; 0 takes the tokenizer's.", at_least(0));
  f.field("hidden", hidden, "Width of the residual stream.", at_least(1));
  f.field("layers", layers, "Number of blocks.", at_least(1));
  f.field("heads", heads, "Attention heads.", at_least(1));
  f.field("mlp", mlp, "Inner width of the MLP; 0: 4 times hidden.", at_least(0));
  f.field("context", context, "Longest sequence in tokens.", at_least(2));
  f.field("types", types, "Token types (segments of a pair); DistilBERT: 0.", at_least(0));
  f.field("norm_eps", norm_eps, "Added to the variance in layer norms.", above(0));
  f.field("tied_embeddings", tied_embeddings, "The masked-LM head uses the embedding's weights.");
  f.field("init_std", init_std, "Standard deviation of new matrices.", above(0));
  f.check(heads < 1 || hidden % heads == 0, "heads", "must divide hidden");
  f.check(family != BertKind::distilbert || types == 0, "types", "must be 0: DistilBERT has none");
}

void BertSpec::from_hf(const Json& json) {
  HfConfig config(json);
  const std::string type = config.string_or("model_type", "");
  for (std::size_t i = 0; i < family_names.size(); ++i) {
    if (family_names[i] == type) family = static_cast<BertKind>(i);
  }
  const Keys& keys = keys_of(family);
  vocabulary_size = config.positive("vocab_size");
  hidden = config.positive(keys.hidden);
  layers = config.positive(keys.layers);
  heads = config.positive(keys.heads);
  if (hidden % heads != 0) fail(ErrorKind::data, "{} is {}, expected a divisor of {}", keys.heads, heads, hidden);
  mlp = config.positive(keys.mlp);
  activation = config.activation_or(keys.activation, "gelu");
  padding = config.integer_or("pad_token_id", family == BertKind::roberta ? 1 : 0);
  context = config.positive("max_position_embeddings") - first_position();
  if (context < 1) fail(ErrorKind::data, "max_position_embeddings is too small: positions start at {}", first_position());
  types = family == BertKind::distilbert ? 0 : config.positive_or("type_vocab_size", 2);
  norm_eps = config.number_or("layer_norm_eps", 1e-12);
  tied_embeddings = config.bool_or("tie_word_embeddings", true);
  init_std = config.number_or("initializer_range", 0.02);
  config.expect("position_embedding_type", "absolute");
  config.expect("is_decoder", false);
  config.expect("add_cross_attention", false);
  config.ignore({"sinusoidal_pos_embds", "qa_dropout", "seq_classif_dropout", "tie_weights_", "gradient_checkpointing"});
  config.refuse_unknown();
  source_ = json;
}

Json BertSpec::hf_config() const {
  if (source_) return *source_;
  const Keys& keys = keys_of(family);
  Json config = Json::object();
  config.set("model_type", family_names[static_cast<std::size_t>(family)]);
  config.set("vocab_size", vocabulary_size);
  config.set(keys.hidden, hidden);
  config.set(keys.layers, layers);
  config.set(keys.heads, heads);
  config.set(keys.mlp, mlp);
  config.set(keys.activation, hf_activation(activation));
  config.set("max_position_embeddings", context + first_position());
  if (family != BertKind::distilbert) {
    config.set("type_vocab_size", types);
    config.set("layer_norm_eps", norm_eps);
  }
  config.set("initializer_range", init_std);
  config.set("tie_word_embeddings", tied_embeddings);
  return config;
}

}  // namespace hone
