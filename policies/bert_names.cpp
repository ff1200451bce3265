#include "policies/bert_names.h"

#include <array>

namespace hone {

namespace {

using kernels::Activation;

const HeadForm per_token = {.linear = "classifier", .bias = true, .rows = HeadRows::all};
const HeadForm spans = {.linear = "qa_outputs", .bias = true, .rows = HeadRows::all};

BertNames bert() {
  return {.family = "Bert",
          .prefix = "bert.",
          .embeddings_norm = "embeddings.LayerNorm",
          .layer = "encoder.layer.",
          .query = "attention.self.query",
          .key = "attention.self.key",
          .value = "attention.self.value",
          .output = "attention.output.dense",
          .output_norm = "attention.output.LayerNorm",
          .up = "intermediate.dense",
          .down = "output.dense",
          .mlp_norm = "output.LayerNorm",
          .lm_dense = "cls.predictions.transform.dense",
          .lm_norm = "cls.predictions.transform.LayerNorm",
          .lm_bias = "cls.predictions.bias",
          .lm_weight = "cls.predictions.decoder.weight",
          .classes = {.linear = "classifier", .bias = true, .rows = HeadRows::first, .dense = "bert.pooler.dense"},
          .tokens = per_token,
          .spans = spans};
}

BertNames roberta() {
  BertNames names = bert();
  names.family = "Roberta";
  names.prefix = "roberta.";
  names.lm_dense = "lm_head.dense";
  names.lm_norm = "lm_head.layer_norm";
  names.lm_bias = "lm_head.bias";
  names.lm_weight = "lm_head.decoder.weight";
  names.classes = {
      .linear = "classifier.out_proj", .bias = true, .rows = HeadRows::first, .dense = "classifier.dense"};
  return names;
}

BertNames distilbert() {
  return {.family = "DistilBert",
          .prefix = "distilbert.",
          .embeddings_norm = "embeddings.LayerNorm",
          .layer = "transformer.layer.",
          .query = "attention.q_lin",
          .key = "attention.k_lin",
          .value = "attention.v_lin",
          .output = "attention.out_lin",
          .output_norm = "sa_layer_norm",
          .up = "ffn.lin1",
          .down = "ffn.lin2",
          .mlp_norm = "output_layer_norm",
          .lm_dense = "vocab_transform",
          .lm_norm = "vocab_layer_norm",
          .lm_bias = "vocab_projector.bias",
          .lm_weight = "vocab_projector.weight",
          .classes = {.linear = "classifier",
                      .bias = true,
                      .rows = HeadRows::first,
                      .dense = "pre_classifier",
                      .activation = Activation::relu},
          .tokens = per_token,
          .spans = spans};
}

}  // namespace

const BertNames& bert_names(BertKind kind) {
  static const std::array<BertNames, 3> names = {bert(), roberta(), distilbert()};
  return names[static_cast<std::size_t>(kind)];
}

}  // namespace hone
