#include "stages/attribute_objective.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "algo/label_loss.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "data/examples.h"
#include "metrics/correlation.h"
#include "stages/answer_pairs.h"
#include "stages/model_kind.h"
#include "stages/packed_forward.h"
#include "stages/pair_objective.h"

namespace hone {

namespace {

std::size_t index_of(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

/// The row's numbers in the order of the attributes, NaN where it has none.
std::vector<float> values_of(const DataRow& row, const Attributes& attributes, const std::string& where) {
  std::vector<float> values(attributes.names.size(), std::numeric_limits<float>::quiet_NaN());
  bool known = false;
  for (const auto& [name, value] : row.scores) {
    const std::size_t k = index_of(attributes.names, name);
    if (k == values.size()) {
      fail(ErrorKind::data, "{}: a score of `{}`, which no training row has; those have {}", where, name,
           fmt::join(attributes.names, ", "));
    }
    values[k] = static_cast<float>(value);
    known |= !std::isnan(value);
  }
  if (!known) {
    fail(ErrorKind::data, "{}: has no score: expected a number for at least one of {}", where,
         fmt::join(attributes.names, ", "));
  }
  return values;
}

std::vector<TokenExample> encode_scored(Run& run, const Dataset& data, Split split, const Attributes& attributes) {
  const ModelInput input = input_of(*run.model);
  const std::span<const DataRow> rows = data.rows(split);
  std::vector<TokenExample> examples;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string where = data.place(split, i);
    examples.push_back(document_example(*run.tokenizer, rows[i].text + rows[i].prompt + rows[i].completion, input));
    if (examples.back().ids.empty()) fail(ErrorKind::data, "{}: the text is empty", where);
    examples.back().row = static_cast<std::int64_t>(i);
    examples.back().values = values_of(rows[i], attributes, where);
  }
  return examples;
}

/// The numbers of one attribute where both are known.
struct Known {
  std::vector<double> value, target;
};

Known known_of(const at::Tensor& value_SK, const at::Tensor& target_SK, std::int64_t k) {
  Known known;
  for (std::int64_t s = 0; s < target_SK.size(0); ++s) {
    const double target = target_SK[s][k].item<double>();
    if (std::isnan(target)) continue;
    known.value.push_back(value_SK[s][k].item<double>());
    known.target.push_back(target);
  }
  return known;
}

/// The mean where there is something to take it over.
void add_mean(const char* name, const std::vector<double>& values, MetricValues& metrics) {
  double sum = 0;
  for (const double value : values) sum += value;
  if (!values.empty()) metrics.emplace_back(name, sum / static_cast<double>(values.size()));
}

/// Rows with a number for each attribute that is known of them.
class ScoredObjective : public ExampleObjective {
 public:
  ScoredObjective(Run& run, LearnableRows rows, std::int64_t tokens_per_pass, Attributes attributes)
      : ExampleObjective(run, std::move(rows), tokens_per_pass), attributes_(std::move(attributes)) {}

  double denominator(const Batch& batch) const override {
    return attribute_denominator(batch.target_SC, attributes_.weight_K);
  }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    return attribute_loss(sequence_scores(model(), part, dropout), part.target_SC, attributes_.weight_K, denominator);
  }

  MetricValues evaluate() override {
    if (examples().held_out.empty()) return {};
    const Batch batch = batch_of(examples().held_out);
    const at::Tensor value_SK = batch_scores(model(), batch, tokens_per_pass());
    MetricValues metrics{
        {"eval/loss",
         attribute_loss(value_SK, batch.target_SC, attributes_.weight_K, denominator(batch)).item<double>()}};
    std::vector<double> correlations;
    for (std::size_t k = 0; k < attributes_.names.size(); ++k) {
      const Known known = known_of(value_SK, batch.target_SC, static_cast<std::int64_t>(k));
      if (known.value.empty()) continue;
      double squares = 0;
      for (std::size_t s = 0; s < known.value.size(); ++s) squares += std::pow(known.value[s] - known.target[s], 2);
      metrics.emplace_back("eval/mse/" + attributes_.names[k], squares / static_cast<double>(known.value.size()));
      const std::optional<double> correlation = pearson(known.value, known.target);
      if (!correlation) continue;
      metrics.emplace_back("eval/pearson/" + attributes_.names[k], *correlation);
      correlations.push_back(*correlation);
    }
    add_mean("eval/pearson", correlations, metrics);
    return metrics;
  }

  std::vector<Headline> headlines() const override {
    return {{"eval/pearson", "Pearson (mean)"}, {"eval/loss", "squared error"}};
  }

 private:
  Attributes attributes_;
};

/// Pairs of answers to the same prompt; target_SC of either is on which side each preference is.
class RespectObjective : public PairObjective {
 public:
  RespectObjective(Run& run, LearnableRows rows, std::int64_t tokens_per_pass, Attributes attributes, double centering)
      : PairObjective(run, std::move(rows), tokens_per_pass),
        attributes_(std::move(attributes)),
        centering_(centering) {}

  double denominator(const Batch& batch) const override {
    return respect_denominator(of_pairs(batch.target_SC, 0), attributes_.weight_K);
  }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    return loss_of(sequence_scores(model(), part, dropout), part, denominator);
  }

  MetricValues evaluate() override {
    if (examples().held_out.empty()) return {};
    const Batch batch = batch_of(examples().held_out);
    const at::Tensor value_SK = batch_scores(model(), batch, tokens_per_pass());
    MetricValues metrics{{"eval/loss", loss_of(value_SK, batch, denominator(batch)).item<double>()}};
    const at::Tensor sign_PK = of_pairs(batch.target_SC, 0).nan_to_num(0).sign();
    const at::Tensor right_PK = ((of_pairs(value_SK, 0) - of_pairs(value_SK, 1)) * sign_PK > 0).to(at::kDouble);
    const at::Tensor right_K = right_PK.sum(0), counted_K = sign_PK.abs().sum(0);
    std::vector<double> accuracies;
    for (std::size_t k = 0; k < attributes_.names.size(); ++k) {
      const auto at = static_cast<std::int64_t>(k);
      const double counted = counted_K[at].item<double>();
      if (counted == 0) continue;
      accuracies.push_back(right_K[at].item<double>() / counted);
      metrics.emplace_back("eval/accuracy/" + attributes_.names[k], accuracies.back());
    }
    add_mean("eval/accuracy", accuracies, metrics);
    return metrics;
  }

  std::vector<Headline> headlines() const override { return {{"eval/accuracy", "accuracy (mean)"}}; }

 private:
  /// Of [2P, K] for chosen, rejected, chosen …: [P, K] of one side.
  static at::Tensor of_pairs(const at::Tensor& value_SK, std::int64_t which) {
    return value_SK.view({-1, 2, value_SK.size(1)}).select(1, which);
  }

  at::Tensor loss_of(const at::Tensor& value_SK, const Batch& batch, double denominator) const {
    const at::Tensor chosen_PK = of_pairs(value_SK, 0).to(at::kDouble), rejected_PK = of_pairs(value_SK, 1).to(at::kDouble);
    const at::Tensor side_PK = of_pairs(batch.target_SC, 0);
    at::Tensor loss = respect_loss(chosen_PK, rejected_PK, side_PK, attributes_.weight_K, denominator);
    if (centering_ == 0) return loss;
    const at::Tensor unknown = at::full_like(side_PK, std::numeric_limits<double>::quiet_NaN());
    const at::Tensor around_PK = at::where(side_PK.nan_to_num(0) == 0, unknown, at::zeros_like(side_PK));
    return loss + centering_ * attribute_loss(chosen_PK + rejected_PK, around_PK, attributes_.weight_K, denominator);
  }

  Attributes attributes_;
  double centering_;
};

/// Puts the preferences of their rows on the examples.
void add_sides(const Dataset& data, Split split, const Attributes& attributes, std::vector<TokenExample>& examples) {
  for (TokenExample& example : examples) {
    const auto i = static_cast<std::size_t>(example.row);
    const DataRow& row = data.rows(split)[i];
    if (row.value != 0) {
      fail(ErrorKind::data, "{}: `margin` goes without `preferences`", data.place(split, i));
    }
    example.values = values_of(row, attributes, data.place(split, i));
    if (std::ranges::all_of(example.values, [](float side) { return std::isnan(side) || side == 0; })) {
      fail(ErrorKind::data, "{}: `preferences` are all 0: a pair must tell which answer is better in some respect",
           data.place(split, i));
    }
  }
}

}  // namespace

bool has_attributes(const Dataset& data) {
  if (data.shape() == DataShape::text_scores || data.shape() == DataShape::prompt_completion_scores) return true;
  return std::ranges::any_of(data.rows(Split::train), [](const DataRow& row) { return !row.scores.empty(); });
}

Attributes attributes_of(const Dataset& data, const std::vector<std::pair<std::string, double>>& weights) {
  Attributes attributes;
  for (const DataRow& row : data.rows(Split::train)) {
    for (const auto& [name, value] : row.scores) {
      if (index_of(attributes.names, name) == attributes.names.size()) attributes.names.push_back(name);
    }
  }
  if (attributes.names.empty()) fail(ErrorKind::data, "data.{}: no row has a score", data.name());
  std::vector<float> weight(attributes.names.size(), 1.0F);
  for (const auto& [name, of] : weights) {
    const std::size_t k = index_of(attributes.names, name);
    if (k == weight.size()) {
      fail(ErrorKind::data, "weights.{}: data.{} has no such score; it has {}", name, data.name(),
           fmt::join(attributes.names, ", "));
    }
    if (!(of >= 0)) fail(ErrorKind::config, "weights.{}: {} is negative", name, of);
    weight[k] = static_cast<float>(of);
  }
  attributes.weight_K = stream_tensor(weight, at::kFloat);
  log_info("data.{}: a score for each of {}", data.name(), fmt::join(attributes.names, ", "));
  return attributes;
}

std::unique_ptr<Objective> attribute_objective(Run& run, const Dataset& data, Attributes attributes, double centering,
                                               std::int64_t held_out_rows, std::int64_t tokens_per_pass) {
  if (data.shape() == DataShape::preference) {
    LearnableRows rows = load_answer_pairs(run, data, held_out_rows);
    add_sides(data, Split::train, attributes, rows.train);
    if (!rows.held_out.empty()) add_sides(data, Split::held_out, attributes, rows.held_out);
    return std::make_unique<RespectObjective>(run, std::move(rows), tokens_per_pass, std::move(attributes), centering);
  }
  LearnableRows rows = load_splits(data, held_out_rows,
                                   [&](Split split) { return encode_scored(run, data, split, attributes); });
  return std::make_unique<ScoredObjective>(run, std::move(rows), tokens_per_pass, std::move(attributes));
}

}  // namespace hone
