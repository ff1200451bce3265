#include "stages/sft.h"

#include "base/format.h"
#include "stages/model_kind.h"
#include "stages/stage_prompts.h"

namespace hone {

namespace {

/// Completions to learn, judged on held-out prompts by generation too.
class JudgedCompletions : public LanguageModelObjective {
 public:
  JudgedCompletions(Run& run, LearnableRows rows, std::int64_t tokens_per_pass, const SftSpec& spec)
      : LanguageModelObjective(run, std::move(rows), tokens_per_pass, spec.regularization),
        environment_((spec.evaluation.environment ? spec.evaluation.environment : spec.source.environment)
                         ->make(run.services())),
        rewards_(spec.evaluation.rewards, run.services()),
        evaluator_(run, *environment_, rewards_, spec.evaluation),
        sampled_(spec.evaluation.sampled) {}

  MetricValues evaluate() override {
    MetricValues metrics = LanguageModelObjective::evaluate();
    const MetricValues generated = evaluator_.evaluate();
    metrics.insert(metrics.end(), generated.begin(), generated.end());
    return metrics;
  }

  std::vector<Headline> headlines() const override {
    std::vector<Headline> lines{{"eval/reward", "reward (greedy)"}};
    if (sampled_) lines.push_back({"eval_sampled/reward", "reward (sampled)"});
    return lines;
  }

  std::span<const Episode> episodes() const override { return evaluator_.episodes(); }

 private:
  std::unique_ptr<Environment> environment_;
  RewardSum rewards_;
  Evaluator evaluator_;
  bool sampled_;
};

}  // namespace

void SftSpec::describe_stage(Fields& f) {
  source.describe(f);
  f.choice("learn", learn, learned_names,
           "completions: the completion, or every turn of the assistant; last_turn: of messages its last turn alone; "
           "everything: the prompt too.");
  f.choice("packing", packing, text_packing_names,
           "documents: each row is a sequence; stream: all rows end to end, cut to the context's length.");
  f.choice("overlong", overlong, overlong_names, "What happens to a row that is longer than the context.");
  f.field("label_smoothing", regularization.label_smoothing,
          "Share of each target that is spread evenly over the vocabulary.", {.low = 0, .high = 1, .open_high = true});
  f.field("neftune_alpha", regularization.neftune_alpha,
          "Noise on embeddings while training, uniform within ±alpha / sqrt(tokens × width); 0: none.", at_least(0));
  training.describe(f);
  f.section("evaluation", "Held-out evaluation: eval/loss, and eval/reward by generation when rewards are given.",
            [this](Fields& fields) {
              evaluation.describe(fields);
              fields.field("every_epochs", evaluate_every_epochs,
                           "Evaluate after each so many passes over the rows; 0: never.", at_least(0));
            });
  f.check(!generates() || evaluation.environment || source.environment, "evaluation",
          "rewards need an environment whose held-out prompts are answered");
  f.check(generates() || !evaluation.environment, "evaluation", "an environment needs rewards that judge the answers");
}

std::vector<std::string> SftSpec::data_names() const {
  std::vector<std::string> names = source.data_names();
  add_data_names(evaluation.environment.get(), names);
  return names;
}

StageArithmetic SftSpec::arithmetic() const {
  StageArithmetic lines = training.arithmetic();
  if (generates()) {
    lines.emplace_back("evaluation", fmt::format("≤ {} prompts × {} tokens{}", format_count(evaluation.prompts),
                                                 format_count(evaluation.sampling.max_tokens),
                                                 evaluation.sampled ? ", greedy and sampled" : ", greedy"));
  }
  return lines;
}

StageStart SftSpec::prepare(Run& run) const {
  if (learn == Learned::everything || packing == TextPacking::stream || regularization.neftune_alpha > 0) {
    require_kind(run, name, {PolicyKind::decoder},
                 "learn: everything, packing: stream and neftune_alpha are for models that read and write one sequence");
  }
  LearnableRows rows = load_texts(
      run, source, {.learned = learn, .packing = packing, .overlong = overlong}, evaluation.prompts);
  if (generates()) evaluation.require_prompts(run, *(evaluation.environment ? evaluation.environment : source.environment));
  return [this, &run, rows = std::move(rows)]() mutable {
    run.use_heads({});
    std::unique_ptr<Objective> objective;
    if (generates()) {
      objective = std::make_unique<JudgedCompletions>(run, std::move(rows), training.tokens_per_pass, *this);
    } else {
      objective = std::make_unique<LanguageModelObjective>(run, std::move(rows), training.tokens_per_pass, regularization);
    }
    return Training(run, training, {evaluation.every, evaluate_every_epochs}, name, *objective).run();
  };
}

}  // namespace hone
