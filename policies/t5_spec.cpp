#include <string>

#include "base/error.h"
#include "policies/hf_config.h"
#include "policies/t5.h"

namespace hone {

namespace {

/// The encoder alone, by the transformers class that wrote the directory.
bool is_encoder_class(const Json* classes) {
  if (classes == nullptr || classes->is_null() || classes->as_array().empty()) return false;
  const std::string& name = classes->as_array()[0].as_string();
  return name == "T5EncoderModel" || name == "T5ForTokenClassification";
}

}  // namespace

void T5Spec::describe(Fields& f) {
  f.field("vocabulary", vocabulary_size, "Number of token ids; 0 takes the tokenizer's.", at_least(0));
  f.field("hidden", hidden, "Width of the residual stream.", at_least(1));
  f.field("layers", layers, "Blocks of the encoder.", at_least(1));
  f.field("decoder_layers", decoder_layers, "Blocks of the decoder; 0: as many as the encoder's.", at_least(0));
  f.field("heads", heads, "Attention heads.", at_least(1));
  f.field("head_dim", head_dim, "Width of an attention head; 0: hidden / heads.", at_least(0));
  f.field("mlp", mlp, "Inner width of the feed-forward blocks; 0: 4 times hidden.", at_least(0));
  f.field("gated", gated, "Feed-forward blocks are gated GELUs (T5 1.1, Flan-T5) in place of ReLUs.");
  f.field("context", context, "Longest source and longest target in tokens.", at_least(2));
  f.field("buckets", buckets, "Rows of the table of relative position biases.", at_least(4));
  f.field("max_distance", max_distance, "Distance from which on all keys share a bias.", at_least(2));
  f.field("norm_eps", norm_eps, "Added to the mean square in RMS norms.", above(0));
  f.field("tied_embeddings", tied_embeddings,
          "The LM head uses the embedding's weights, its input divided by sqrt(hidden).");
  f.field("decoder_start", decoder_start, "Token id that every target begins with; T5: that of padding.", at_least(0));
  f.field("init_factor", init_factor, "Multiplies the standard deviations of new matrices.", above(0));
  f.check(head_dim > 0 || heads < 1 || hidden % heads == 0, "heads", "must divide hidden, or head_dim be set");
  f.check(max_distance > buckets / 2, "max_distance", "must be above half of buckets");
}

T5Spec T5Spec::resolved() const {
  T5Spec spec = *this;
  if (spec.decoder_layers == 0) spec.decoder_layers = layers;
  if (spec.head_dim == 0) spec.head_dim = hidden / heads;
  if (spec.mlp == 0) spec.mlp = 4 * hidden;
  if (!spec.activation) spec.activation = gated ? kernels::Activation::gelu_tanh : kernels::Activation::relu;
  if (!spec.scale_lm_input) spec.scale_lm_input = tied_embeddings;
  return spec;
}

/// feed_forward_proj is "relu" or "gated-gelu", whose GELU is the approximation by tanh; dense_act_fn and is_gated_act,
/// which newer files have beside it, must say the same.
void T5Spec::read_feed_forward(const Json& json) {
  HfConfig config(json);
  const std::string name = config.string_or("feed_forward_proj", "relu");
  gated = name.starts_with("gated-");
  const std::string function = name == "gated-gelu" ? "gelu_new" : name.substr(gated ? 6 : 0);
  Json alone = Json::object();
  alone.set("feed_forward_proj", function);
  activation = HfConfig(alone).activation_or("feed_forward_proj", "relu");
  config.expect("dense_act_fn", function);
  config.expect("is_gated_act", gated);
}

void T5Spec::from_hf(const Json& json) {
  HfConfig config(json);
  vocabulary_size = config.positive("vocab_size");
  hidden = config.positive("d_model");
  head_dim = config.positive("d_kv");
  mlp = config.positive("d_ff");
  layers = config.positive("num_layers");
  decoder_layers = config.positive_or("num_decoder_layers", layers);
  heads = config.positive("num_heads");
  context = config.positive_or("n_positions", 512);
  buckets = config.positive_or("relative_attention_num_buckets", 32);
  if (buckets < 4) cannot_honour("relative_attention_num_buckets", std::to_string(buckets));
  max_distance = config.positive_or("relative_attention_max_distance", 128);
  if (max_distance <= buckets / 2) {
    fail(ErrorKind::data,
         "relative_attention_max_distance is {}, expected more than half of relative_attention_num_buckets "
         "({})",
         max_distance, buckets);
  }
  norm_eps = config.number_or("layer_norm_epsilon", 1e-6);
  init_factor = config.number_or("initializer_factor", 1);
  decoder_start = config.integer_or("decoder_start_token_id", config.integer_or("pad_token_id", 0));
  if (decoder_start < 0 || decoder_start >= vocabulary_size) {
    fail(ErrorKind::data, "decoder_start_token_id is {}, expected an id of the {} in the vocabulary", decoder_start,
         vocabulary_size);
  }
  // Files of before transformers 5 say with tie_word_embeddings what scale_decoder_outputs says since.
  scale_lm_input = config.bool_or("scale_decoder_outputs", config.bool_or("tie_word_embeddings", true));
  tied_embeddings = *scale_lm_input;
  read_feed_forward(json);
  encoder_alone = is_encoder_class(config.find("architectures"));
  if (!encoder_alone) config.expect("is_encoder_decoder", true);
  config.expect("is_decoder", false);
  config.ignore({"feed_forward_proj", "dense_act_fn", "is_gated_act", "is_encoder_decoder", "output_past"});
  config.refuse_unknown();
  source_ = json;
}

Json T5Spec::hf_config() const {
  if (source_) return *source_;
  const T5Spec spec = resolved();
  Json config = Json::object();
  config.set("model_type", "t5");
  config.set("is_encoder_decoder", true);
  config.set("vocab_size", spec.vocabulary_size);
  config.set("d_model", spec.hidden);
  config.set("d_kv", spec.head_dim);
  config.set("d_ff", spec.mlp);
  config.set("num_layers", spec.layers);
  config.set("num_decoder_layers", spec.decoder_layers);
  config.set("num_heads", spec.heads);
  config.set("n_positions", spec.context);
  config.set("relative_attention_num_buckets", spec.buckets);
  config.set("relative_attention_max_distance", spec.max_distance);
  config.set("layer_norm_epsilon", spec.norm_eps);
  config.set("initializer_factor", spec.init_factor);
  config.set("feed_forward_proj", spec.gated ? "gated-gelu" : "relu");
  config.set("decoder_start_token_id", spec.decoder_start);
  config.set("tie_word_embeddings", spec.tied_embeddings);
  config.set("scale_decoder_outputs", *spec.scale_lm_input);
  config.set("dropout_rate", 0.0);
  return config;
}

}  // namespace hone
