#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "data/text_encoder.h"
#include "predict/pooling.h"
#include "stages/supervised.h"

namespace hone {

enum class ContrastiveLoss {
  automatic,  ///< by the rows: cosent where they have values, info_nce else
  info_nce,
  cosent,
  cosine,
};
inline constexpr std::array<std::string_view, 4> contrastive_loss_names = {"auto", "info_nce", "cosent", "cosine"};

enum class VectorSimilarity { cosine, dot };
inline constexpr std::array<std::string_view, 2> vector_similarity_names = {"cosine", "dot"};

/// automatic, then those of PoolingMode.
inline constexpr std::array<std::string_view, 7> pooling_choice_names = {
    "auto", "cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"};

/// Vectors of texts, alike where the texts are. See docs/stages/contrastive.md.
class ContrastiveSpec : public DataSpec {
 public:
  ContrastiveLoss loss = ContrastiveLoss::automatic;
  double temperature = 0.05;
  double temperature_learning_rate = 0;
  VectorSimilarity similarity = VectorSimilarity::cosine;
  int pooling = 0;  ///< of pooling_choice_names
  double full_score = 1;
  LengthLimit length;

  ContrastiveSpec();
  void describe_stage(Fields& f) override;
  StageStart prepare(Run& run) const override;

 private:
  ContrastiveLoss loss_of(const Dataset& dataset) const;
  PoolingPlan plan_of(const Run& run) const;
};

}  // namespace hone
