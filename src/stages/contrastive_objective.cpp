#include "stages/contrastive_objective.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "algo/contrastive_loss.h"
#include "base/error.h"
#include "base/random.h"
#include "base/stop.h"
#include "metrics/correlation.h"
#include "rollout/pack.h"
#include "stages/packed_forward.h"
#include "stages/text_vectors.h"
#include "stages/to_batch.h"

namespace hone {

namespace {

/// Each row's value; undefined where rows have none.
at::Tensor values_of(const Batch& batch, std::int64_t pairs) {
  return batch.target_SC.defined() ? batch.target_SC.select(1, 0).narrow(0, 0, pairs).to(at::kDouble) : at::Tensor();
}

at::Tensor similarity_of(const at::Tensor& vector_SD, std::int64_t pairs) {
  const at::Tensor vector = vector_SD.to(at::kDouble);
  return (vector.narrow(0, 0, pairs) * vector.narrow(0, pairs, pairs)).sum(1);
}

/// The vectors of rows first … first + count - 1 of `rows`, first texts first.
at::Tensor of_rows(const at::Tensor& vector_SD, std::int64_t rows, std::int64_t first, std::int64_t count) {
  std::vector<at::Tensor> sides;
  for (std::int64_t side = 0; side < vector_SD.size(0) / rows; ++side) {
    sides.push_back(vector_SD.narrow(0, side * rows + first, count));
  }
  return at::cat(sides);
}

std::span<const double> span_of(const at::Tensor& contiguous) {
  return {contiguous.const_data_ptr<double>(), static_cast<std::size_t>(contiguous.numel())};
}

DropoutDraw draw_of(const GradientPass& pass, std::uint64_t part) {
  return {pass.dropout, Random(pass.draw, part).next64()};
}

}  // namespace

ContrastiveObjective::ContrastiveObjective(Run& run, Rows rows, const ContrastiveSpec& spec, ContrastiveLoss loss,
                                           const PoolingPlan& plan)
    : run_(run),
      spec_(spec),
      rows_(std::move(rows)),
      sides_(std::max<std::int64_t>(2, rows_.texts)),
      loss_(loss),
      plan_(plan),
      scale_(spec.temperature, spec.temperature_learning_rate) {
  HONE_ASSERT(loss != ContrastiveLoss::automatic);
}

std::uint64_t ContrastiveObjective::count(const std::vector<TokenExample>& examples) const {
  return examples.size() / static_cast<std::uint64_t>(rows_.texts);
}

void ContrastiveObjective::visit(std::span<const VisitedRow> rows) {
  redraw(rows_.redraw, rows, static_cast<std::size_t>(rows_.texts), rows_.examples.train);
}

std::int64_t ContrastiveObjective::tokens(std::uint64_t row) const {
  std::int64_t tokens = 0;
  for (std::int64_t side = 0; side < sides_; ++side) {
    tokens += rows_.examples.train[row * static_cast<std::uint64_t>(rows_.texts) +
                                   static_cast<std::uint64_t>(std::min(side, rows_.texts - 1))]
                  .tokens();
  }
  return tokens;
}

Batch ContrastiveObjective::batch_of_rows(const std::vector<TokenExample>& examples,
                                          std::span<const std::uint64_t> rows) const {
  std::vector<std::uint64_t> places;
  for (std::int64_t side = 0; side < sides_; ++side) {
    const auto text = static_cast<std::uint64_t>(std::min(side, rows_.texts - 1));
    for (const std::uint64_t row : rows) places.push_back(row * static_cast<std::uint64_t>(rows_.texts) + text);
  }
  return to_batch(pack(examples, places));
}

Batch ContrastiveObjective::batch(std::span<const std::uint64_t> rows, std::uint64_t) const {
  return batch_of_rows(rows_.examples.train, rows);
}

at::Tensor ContrastiveObjective::loss_of(const at::Tensor& vector_SD, const at::Tensor& value_P) {
  const std::int64_t pairs = vector_SD.size(0) / sides_;
  if (loss_ == ContrastiveLoss::info_nce) {
    return info_nce_loss(vector_SD.narrow(0, 0, pairs), vector_SD.narrow(0, pairs, vector_SD.size(0) - pairs),
                         scale_.draw());
  }
  const at::Tensor similarity_P = similarity_of(vector_SD, pairs);
  if (loss_ == ContrastiveLoss::cosent) return cosent_loss(similarity_P, value_P, 1 / spec_.temperature);
  return similarity_error_loss(similarity_P, value_P / spec_.full_score);
}

at::Tensor ContrastiveObjective::loss(const Batch& whole, double denominator, const DropoutDraw& dropout) {
  HONE_ASSERT(denominator == this->denominator(whole));
  return loss_of(text_vectors(*run_.model, plan_, whole, dropout), values_of(whole, whole.sequences() / sides_));
}

double ContrastiveObjective::accumulate(std::span<const std::uint64_t> rows, const GradientPass& pass) {
  const Batch whole = batch(rows, pass.draw);
  const auto cuts = cut_by_tokens(whole, pass.tokens_per_pass);
  double value = 0;
  if (cuts.size() == 1) {
    const at::Tensor loss = this->loss(whole, denominator(whole), draw_of(pass, 0));
    value = loss.item<double>();
    loss.backward();
  } else {
    value = accumulate_cached(whole, cuts, pass);
  }
  scale_.update();
  return value;
}

double ContrastiveObjective::accumulate_cached(const Batch& whole, std::span<const std::vector<std::int64_t>> cuts,
                                               const GradientPass& pass) {
  const auto vectors_of = [&](std::size_t part) {
    throw_if_stopped();
    return text_vectors(*run_.model, plan_, pick_sequences(whole, cuts[part]), draw_of(pass, part));
  };
  std::vector<at::Tensor> parts;
  {
    const at::NoGradGuard no_grad;
    for (std::size_t part = 0; part < cuts.size(); ++part) parts.push_back(vectors_of(part));
  }
  const at::Tensor vector_SD = at::cat(parts).requires_grad_();
  const at::Tensor loss = loss_of(vector_SD, values_of(whole, whole.sequences() / sides_));
  loss.backward();
  std::int64_t first = 0;
  for (std::size_t part = 0; part < cuts.size(); ++part) {
    const auto size = static_cast<std::int64_t>(cuts[part].size());
    vectors_of(part).backward(vector_SD.grad().narrow(0, first, size).contiguous());
    first += size;
  }
  return loss.item<double>();
}

MetricValues ContrastiveObjective::take_metrics() {
  if (!scale_.learned()) return {};
  return {{"temperature", scale_.temperature()}};
}

MetricValues ContrastiveObjective::evaluate() {
  const auto rows = static_cast<std::int64_t>(count(rows_.examples.held_out));
  if (rows == 0) return {};
  const at::NoGradGuard no_grad;
  std::vector<std::uint64_t> all(static_cast<std::size_t>(rows));
  std::iota(all.begin(), all.end(), 0);
  const Batch batch = batch_of_rows(rows_.examples.held_out, all);
  const at::Tensor vector_SD = text_vectors(*run_.model, plan_, batch, spec_.training.tokens_per_pass);
  const at::Tensor value_R = values_of(batch, rows);
  Metrics metrics;
  for (std::int64_t first = 0, end = 0; first < rows; first = end) {
    end = std::min(first + spec_.training.batch_size, rows);
    if (rows - end == 1) end = rows;  // a row alone has nothing to be compared with
    const at::Tensor some_SD = of_rows(vector_SD, rows, first, end - first);
    const auto weight = static_cast<double>(end - first);
    const at::Tensor value_P = value_R.defined() ? value_R.narrow(0, first, end - first) : value_R;
    metrics.add("eval/loss", loss_of(some_SD, value_P).item<double>(), weight);
    if (loss_ != ContrastiveLoss::info_nce) continue;
    const std::int64_t pairs = end - first;
    metrics.add("eval/accuracy",
                retrieval_accuracy(some_SD.narrow(0, 0, pairs), some_SD.narrow(0, pairs, some_SD.size(0) - pairs)), weight);
  }
  MetricValues values = metrics.values();
  if (!value_R.defined()) return values;
  const at::Tensor similarity_R = similarity_of(vector_SD, rows).contiguous(), value = value_R.contiguous();
  if (const auto r = pearson(span_of(similarity_R), span_of(value))) values.emplace_back("eval/pearson", *r);
  if (const auto rho = spearman(span_of(similarity_R), span_of(value))) values.emplace_back("eval/spearman", *rho);
  return values;
}

std::vector<Objective::Headline> ContrastiveObjective::headlines() const {
  if (loss_ == ContrastiveLoss::info_nce) return {{"eval/accuracy", "positive found in the batch"}, {"eval/loss", "loss"}};
  return {{"eval/spearman", "Spearman"}, {"eval/loss", "loss"}};
}

}  // namespace hone
