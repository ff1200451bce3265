#include "stages/qa_span.h"

#include <algorithm>
#include <utility>

#include "algo/label_loss.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "metrics/answers.h"
#include "nn/layers.h"
#include "stages/answer_examples.h"
#include "stages/example_objective.h"
#include "stages/model_kind.h"
#include "stages/packed_forward.h"

namespace hone {

namespace {

class SpanObjective : public ExampleObjective {
 public:
  SpanObjective(Run& run, LearnableRows rows, std::int64_t tokens_per_pass, std::vector<AskedQuestion> questions,
                const AnswerSettings& settings)
      : ExampleObjective(run, std::move(rows), tokens_per_pass),
        questions_(std::move(questions)),
        settings_(settings) {}

  double denominator(const Batch& batch) const override { return static_cast<double>(batch.sequences()); }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    return span_loss(sequence_scores(model(), part, dropout), part.span_S2, part.start_S1, denominator);
  }

  MetricValues evaluate() override {
    if (examples().held_out.empty()) return {};
    const Batch batch = batch_of(examples().held_out);
    const at::Tensor logits_T2 = batch_scores(model(), batch, tokens_per_pass());
    const at::Tensor loss = span_loss(logits_T2, batch.span_S2, batch.start_S1, denominator(batch));
    const AnswerScore score = answer_scores(logits_T2);
    return {{"eval/loss", loss.item<double>()}, {"eval/exact", score.exact}, {"eval/f1", score.f1}};
  }

  std::vector<Headline> headlines() const override { return {{"eval/f1", "F1"}, {"eval/exact", "exact match"}}; }

 private:
  /// Means over the held-out questions, whose windows are the rows of the logits.
  AnswerScore answer_scores(const at::Tensor& logits_T2) const {
    const at::Tensor start_T = logits_T2.select(1, 0).contiguous(), end_T = logits_T2.select(1, 1).contiguous();
    std::size_t row = 0;
    AnswerScore sum;
    for (const AskedQuestion& question : questions_) {
      std::vector<SpanLogits> windows;
      for (const AnswerWindow& window : question.windows) {
        windows.push_back({{start_T.const_data_ptr<float>() + row, window.ids.size()},
                           {end_T.const_data_ptr<float>() + row, window.ids.size()}});
        row += window.ids.size();
      }
      const std::vector<Answer> found =
          find_answers(question.context, question.tokens, question.windows, windows, settings_);
      const AnswerScore score = answer_score(found.empty() ? "" : found[0].answer, question.answers);
      sum.exact += score.exact;
      sum.f1 += score.f1;
    }
    const auto count = static_cast<double>(questions_.size());
    return {sum.exact / count, sum.f1 / count};
  }

  std::vector<AskedQuestion> questions_;
  AnswerSettings settings_;
};

}  // namespace

void QaSpanSpec::describe_stage(Fields& f) {
  describe_data(f, "Name of the data set: context, question, and answers as in SQuAD.");
  f.field("max_tokens", max_tokens, "Longest window of a question and a part of its context.", at_least(8));
  f.field("stride", stride, "Context tokens that neighbouring windows of a long context share.", at_least(0));
  f.field("max_answer_tokens", max_answer_tokens, "Longest answer in tokens that evaluation looks for.", at_least(1));
  describe_training(f,
                    "Held-out evaluation: eval/loss, eval/exact (exact match) and eval/f1 as SQuAD's script has them.");
}

StageStart QaSpanSpec::prepare(Run& run) const {
  require_kind(run, name, {PolicyKind::encoder, PolicyKind::decoder}, "answers are places in the text");
  require_fixed_rows(run);
  const std::shared_ptr<const Dataset> dataset = run.dataset(data);
  const AnswerWindowRules rules{max_tokens, stride};
  const ModelInput input = input_of(*run.model);
  AskedQuestions train = encode_questions(*dataset, Split::train, SIZE_MAX, *run.tokenizer, input, rules);
  const auto answered = std::count_if(train.examples.begin(), train.examples.end(), [](const TokenExample& example) {
    return (*example.span)[1] > 0;
  });
  if (answered == 0) {
    fail(ErrorKind::data, "data.{}: all labels are masked: no window of a training question holds its answer", data);
  }
  log_info("data.{}: {} questions in {} windows, {} of them with the answer", data,
           format_count(static_cast<std::int64_t>(train.questions.size())),
           format_count(static_cast<std::int64_t>(train.examples.size())), format_count(answered));
  AskedQuestions held_out;
  if (dataset->has(Split::held_out)) {
    held_out = encode_questions(*dataset, Split::held_out, static_cast<std::size_t>(evaluation.rows), *run.tokenizer,
                                input, rules);
  } else {
    log_warn("data.{}: no rows are held out, so nothing is evaluated on them", data);
  }
  const AnswerSettings settings{
      .max_answer_length = static_cast<std::size_t>(max_answer_tokens),
      .handle_impossible_answer = std::any_of(train.questions.begin(), train.questions.end(),
                                              [](const AskedQuestion& question) { return question.answers.empty(); }),
      .align_to_words = false};
  LearnableRows rows{std::move(train.examples), std::move(held_out.examples)};
  return [this, &run, settings, rows = std::move(rows), questions = std::move(held_out.questions)]() mutable {
    run.use_heads({.lm = false, .scores = 2, .score_kind = HeadKind::spans});
    SpanObjective objective(run, std::move(rows), training.tokens_per_pass, std::move(questions), settings);
    return learn(run, objective);
  };
}

}  // namespace hone
