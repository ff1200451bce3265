#pragma once

#include <string>

#include "policies/bert.h"

namespace hone {

/// What the files of a family call the modules of the same architecture.
struct BertNames {
  std::string family;  ///< "Bert" of BertForMaskedLM
  std::string prefix;  ///< "bert."
  std::string embeddings_norm;
  std::string layer;  ///< "encoder.layer."
  std::string query, key, value, output, output_norm;
  std::string up, down, mlp_norm;
  std::string lm_dense, lm_norm;
  std::string lm_bias;  ///< the tensor, not the module
  std::string lm_weight;
  HeadForm classes;
  HeadForm tokens;
  HeadForm spans;
};
const BertNames& bert_names(BertKind kind);

}  // namespace hone
