#include "stages/pretrain.h"

#include "stages/model_kind.h"

namespace hone {

void PretrainSpec::describe_stage(Fields& f) {
  source.describe(f);
  f.choice(
      "packing", packing, text_packing_names,
      "documents: each text is a sequence (or several, when it is longer than the context); stream: all texts end to "
      "end, cut to the context's length.");
  describe_training(f, "Held-out evaluation: eval/loss, eval/perplexity.");
}

StageStart PretrainSpec::prepare(Run& run) const {
  require_kind(run, name, {PolicyKind::decoder},
               "texts have no source to read; learn from prompts with a stage of kind sft");
  LearnableRows rows = load_texts(run, source, {.learned = Learned::everything, .packing = packing}, evaluation.rows);
  return [this, &run, rows = std::move(rows)]() mutable {
    run.use_heads({});
    LanguageModelObjective objective(run, std::move(rows), training.tokens_per_pass);
    return learn(run, objective);
  };
}

}  // namespace hone
