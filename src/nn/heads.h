#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <string>

#include "kernels/lm_head/lm_head.h"
#include "nn/layers.h"
#include "nn/parameter_store.h"

namespace hone {

/// What stands before the last matrix of some heads: activation(dense(x)), then a norm (BERT's masked LM).
struct HeadTransform {
  Parameter dense_DD;  ///< undefined: no transform at all
  Parameter bias_D;
  kernels::Activation activation = kernels::Activation::tanh;
  Norm norm;  ///< no weight: none
  bool defined() const { return dense_DD.defined(); }
  at::Tensor operator()(const at::Tensor& hidden_MD) const;
};

/// The losses [C] of rows first, first + 1 … from their logits_CV. With `gradient` it also turns the logits into the
/// derivatives of these losses.
using LogitsLoss = std::function<at::Tensor(std::int64_t first, at::Tensor& logits_CV, bool gradient)>;

/// From hidden states to the vocabulary.
class LmHead {
 public:
  struct Form {
    Parameter weight_VD;        ///< the embedding's where they are tied
    Parameter bias_V;           ///< undefined: none
    double soft_cap = 0;        ///< logits become cap · tanh(logits / cap)
    double input_scale = 1;     ///< of the hidden states (T5 with tied embeddings: hidden^-½)
    HeadTransform transform;
  };
  LmHead() = default;
  explicit LmHead(Form form) : form_(std::move(form)) {}
  bool defined() const { return form_.weight_VD.defined(); }
  const Parameter& weight() const { return form_.weight_VD; }

  /// Log-probability of target_M (and entropy) under softmax(logits · inverse_temperature), differentiable; the logits
  /// of all rows never exist at once. entropy_M is undefined unless asked for.
  kernels::TokenStatistics token_statistics(const at::Tensor& hidden_MD, const at::Tensor& target_M,
                                            double inverse_temperature, bool with_entropy) const;
  /// Plain logits_MV of a few rows. No gradient.
  at::Tensor logits(const at::Tensor& hidden_MD) const;
  /// loss_M of whole rows of logits, differentiable. Logits of at most 16 MiB (or of one row) exist at a time: backward
  /// computes them again, so `loss` must give the same each time.
  at::Tensor row_losses(const at::Tensor& hidden_MD, const LogitsLoss& loss) const;

 private:
  at::Tensor input(const at::Tensor& hidden_MD) const;
  kernels::LogitRule rule() const;

  Form form_;
};

enum class HeadKind {
  value,   ///< one critic value a row; starts at zero, with a bias
  reward,  ///< one score a sequence
  classes, ///< logits (or values to regress on) a sequence
  tokens,  ///< logits a token
  spans    ///< start and end logits a token
};

/// Which hidden states of a sequence a head reads.
enum class HeadRows { last, first, mean, all };

/// How a family's Hugging Face classes build a head: the modules' names, and what comes before the last matrix.
struct HeadForm {
  std::string linear = "score";  ///< "score" → score.weight
  bool bias = false;
  HeadRows rows = HeadRows::last;
  std::string dense;  ///< module before it, hidden → hidden; "": none
  bool dense_bias = true;
  kernels::Activation activation = kernels::Activation::tanh;
  std::string norm;  ///< layer norm behind the activation; "": none
  bool norm_bias = true;
  double norm_eps = 1e-5;
};

/// What checkpoints of a bare trunk have of such a head: BERT's pooler, which a head that is added later begins with.
/// Nothing for families whose heads bring their own.
void declare_pooler(ParameterStore& store, const HeadForm& form, std::int64_t hidden);

/// A small network from hidden states to `outputs` numbers.
class Head {
 public:
  /// Declares the head's segments: "value" or "score" (normal with deviation 1/sqrt(hidden + 1)), their ".bias", and
  /// "head_dense", "head_norm" where the form has them.
  Head(ParameterStore& store, HeadKind kind, const HeadForm& form, std::int64_t hidden, std::int64_t outputs);

  /// hidden_MD, rows picked by `rows` → [M, outputs].
  at::Tensor operator()(const at::Tensor& hidden_MD) const;
  /// The rows of packed sequences (start_S1, int32) that the head reads: [S, D], or all of them.
  at::Tensor pick(const at::Tensor& hidden_TD, const at::Tensor& start_S1) const;
  HeadKind kind() const { return kind_; }
  HeadRows rows() const { return rows_; }
  std::int64_t outputs() const { return outputs_; }

 private:
  HeadKind kind_;
  HeadRows rows_;
  std::int64_t outputs_;
  HeadTransform transform_;
  Parameter weight_, bias_;
};

}  // namespace hone
