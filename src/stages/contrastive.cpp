#include "stages/contrastive.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "data/similar_texts.h"
#include "stages/contrastive_objective.h"
#include "stages/model_kind.h"

namespace hone {

namespace {

LearnableRows encode(Run& run, const Dataset& data, const LengthLimit& length, std::int64_t texts,
                     std::int64_t held_out_rows) {
  return load_splits(data, held_out_rows * texts, [&](Split split) {
    TextEncoder encoder(*run.tokenizer, input_of(*run.model), length);
    std::vector<TokenExample> examples = encode_similar(data, split, encoder);
    log_info("data.{}: {}{} rows of {} texts each; of the texts: {}", data.name(),
             split == Split::held_out ? "held out: " : "", examples.size() / static_cast<std::size_t>(texts), texts,
             encoder.report().text());
    return examples;
  });
}

/// A cosine has nothing to go to outside of [-1, 1].
void require_targets(const Dataset& data, Split split, double full_score, const std::string& stage) {
  const auto rows = data.rows(split);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (std::abs(rows[i].value) <= full_score) continue;
    fail(ErrorKind::data,
         "{}: the value {} is no cosine: expected at most {} either way; set stages.{}.full_score to the value of texts "
         "that mean the same, or loss to cosent, which reads their order alone",
         data.place(split, i), rows[i].value, full_score, stage);
  }
}

}  // namespace

ContrastiveSpec::ContrastiveSpec() {
  training.batch_size = 64;
  training.optimizer.learning_rate = 2e-5;
}

void ContrastiveSpec::describe_stage(Fields& f) {
  describe_data(f,
                "Name of the data set: anchor and positive, perhaps a negative; text and text_pair, perhaps with a value; "
                "or text alone, which is then its own positive under another dropout.");
  f.choice("loss", loss, contrastive_loss_names,
           "info_nce: the own positive among all of the batch; of rows with a value cosent (their order) or cosine (squared "
           "error of the cosine). `auto`: cosent where rows have a value, info_nce else.");
  f.field("temperature", temperature, "What similarities are divided by (info_nce, cosent).", above(0));
  f.field("temperature_learning_rate", temperature_learning_rate,
          "Adam's rate for the logarithm of the temperature, which is then learned (info_nce); 0: it is fixed.",
          at_least(0));
  f.choice("similarity", similarity, vector_similarity_names,
           "Vectors are brought to length 1 and stay so in the saved model (cosine), or they are taken as they are (dot).");
  f.choice("pooling", pooling, pooling_choice_names,
           "How the states of a text's tokens become its vector; `auto`: as the model's directory says, else mean. Saved "
           "with the model, for `hone predict` and sentence-transformers.");
  f.field("full_score", full_score, "The value of texts that mean the same: cosines go to value / full_score.", above(0));
  length.describe(f);
  describe_training(f,
                    "Held-out evaluation: eval/loss and eval/accuracy over batches of batch_size rows, or eval/pearson and "
                    "eval/spearman of rows with a value.");
  f.check(training.batch_size > 1 || loss == ContrastiveLoss::cosine, "batch_size",
          "must be at least 2: a batch of one row has no negatives");
  f.check(loss != ContrastiveLoss::cosine || similarity == VectorSimilarity::cosine, "similarity",
          "must be cosine where loss is");
  f.check(temperature_learning_rate == 0 || loss == ContrastiveLoss::info_nce, "temperature_learning_rate",
          "goes with loss: info_nce");
}

ContrastiveLoss ContrastiveSpec::loss_of(const Dataset& dataset) const {
  const bool valued = dataset.shape() == DataShape::text_pair_value;
  const ContrastiveLoss chosen = loss != ContrastiveLoss::automatic ? loss
                                 : valued                           ? ContrastiveLoss::cosent
                                                                    : ContrastiveLoss::info_nce;
  if (valued != (chosen != ContrastiveLoss::info_nce)) {
    fail(ErrorKind::data, "data.{}: rows of {} are not for loss {}: info_nce takes texts that mean the same, cosent and "
         "cosine take text+text_pair+value", data, dataset.shape_name(),
         contrastive_loss_names[static_cast<std::size_t>(chosen)]);
  }
  if (dataset.shape() == DataShape::text && training.dropout == 0) {
    fail(ErrorKind::config, "stages.{}.dropout: is 0, and rows of text are told from themselves by dropout alone; set it to "
         "0.1", name);
  }
  if (chosen == ContrastiveLoss::cosine) {
    require_targets(dataset, Split::train, full_score, name);
    if (dataset.has(Split::held_out)) require_targets(dataset, Split::held_out, full_score, name);
  }
  return chosen;
}

PoolingPlan ContrastiveSpec::plan_of(const Run& run) const {
  PoolingPlan plan = run.pooling().value_or(PoolingPlan{});
  if (pooling > 0) plan.modes = {static_cast<PoolingMode>(pooling - 1)};
  plan.normalize = similarity == VectorSimilarity::cosine;
  plan.include_prompt = true;
  plan.lower_case = false;
  const std::int64_t context = run.model->policy->shape().context;
  plan.max_tokens = std::min(length.max_tokens.value_or(plan.max_tokens.value_or(context)), context);
  plan.dimension = run.model->policy->shape().hidden;
  return plan;
}

StageStart ContrastiveSpec::prepare(Run& run) const {
  require_kind(run, name, {PolicyKind::encoder, PolicyKind::decoder}, "a vector is pooled from the states of one stack");
  const std::shared_ptr<const Dataset> dataset = run.dataset(data);
  const ContrastiveLoss chosen = loss_of(*dataset);
  const PoolingPlan plan = plan_of(run);
  const std::int64_t texts = compared_texts(*dataset);
  LengthLimit limit = length;
  limit.max_tokens = plan.max_tokens;
  LearnableRows rows = encode(run, *dataset, limit, texts, evaluation.rows);
  if (rows.train.size() < 2 * static_cast<std::size_t>(texts) && chosen != ContrastiveLoss::cosine) {
    fail(ErrorKind::data, "data.{}: has one row to learn from, expected at least 2: a batch of one row has no negatives",
         data);
  }
  return [this, &run, dataset, chosen, plan, texts, limit, rows = std::move(rows)]() mutable {
    run.use_heads({});
    RedrawRow redraw = redrawn_rows(dataset, *run.tokenizer, input_of(*run.model), limit,
                                    [&](const DataRow& row, std::int64_t number, TextEncoder& encoder) {
                                      return encode_similar(*dataset, Split::train, row, number, encoder);
                                    });
    ContrastiveObjective objective(run, {std::move(rows), texts, std::move(redraw)}, *this, chosen, plan);
    run.use_pooling(plan);
    return learn(run, objective);
  };
}

}  // namespace hone
