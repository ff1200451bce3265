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

StageSummary PretrainSpec::run(Run& run) const {
  require_kind(run, name, {PolicyKind::decoder},
               "texts have no source to read; learn from prompts with a stage of kind sft");
  run.use_heads({});
  LanguageModelObjective objective(
      run, load_texts(run, source, {.learned = Learned::everything, .packing = packing}, evaluation.rows),
      training.tokens_per_pass);
  return learn(run, objective);
}

}  // namespace hone
