#include "stages/step_scorer.h"

#include <limits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "data/step_examples.h"
#include "stages/example_objective.h"
#include "stages/packed_forward.h"

namespace hone {

namespace {

constexpr std::int64_t tokens_per_pass = 8192;

class HeadStepScorer : public StepScorer {
 public:
  HeadStepScorer(std::unique_ptr<Model> model, std::unique_ptr<Tokenizer> tokenizer, const std::string& separator)
      : model_(std::move(model)), tokenizer_(std::move(tokenizer)), encoder_(*tokenizer_, separator) {
    if (model_->score && model_->plan.score_kind == HeadKind::tokens && model_->score->outputs() >= 2) return;
    fail(ErrorKind::data, "the model is no process reward model: expected a head that classifies tokens into two classes or "
         "more, the last of which is a right step");
  }

  std::vector<std::vector<double>> score(std::span<const Item> items) override {
    std::vector<TokenExample> examples;
    for (const Item& item : items) examples.push_back(example_of(item));
    const Batch batch = batch_of(examples);
    const at::Tensor logits_TC = batch_scores(*model_, batch, tokens_per_pass).to(at::kDouble);
    const at::Tensor right_T = logits_TC.softmax(1).select(1, logits_TC.size(1) - 1).contiguous();
    const double* right = right_T.const_data_ptr<double>();
    std::vector<std::vector<double>> scores;
    for (std::size_t i = 0; i < items.size(); ++i) {
      std::vector<double>& of_item = scores.emplace_back();
      for (const std::int64_t tag : examples[i].tags) {
        if (tag >= 0) of_item.push_back(*right);
        ++right;
      }
      of_item.resize(items[i].steps.size(), std::numeric_limits<double>::quiet_NaN());
    }
    return scores;
  }

 private:
  TokenExample example_of(const Item& item) const {
    const std::vector<std::int64_t> labels(item.steps.size(), 0);
    TokenExample example = encoder_.encode(item.prompt, item.steps, labels);
    const auto context = static_cast<std::size_t>(model_->policy->shape().context);
    if (example.ids.size() > context) {
      example.ids.resize(context);
      example.tags.resize(context);
    }
    return example;
  }

  std::unique_ptr<Model> model_;
  std::unique_ptr<Tokenizer> tokenizer_;
  StepEncoder encoder_;
};

}  // namespace

std::unique_ptr<StepScorer> step_scorer(std::unique_ptr<Model> model, std::unique_ptr<Tokenizer> tokenizer,
                                        const std::string& separator) {
  return std::make_unique<HeadStepScorer>(std::move(model), std::move(tokenizer), separator);
}

}  // namespace hone
