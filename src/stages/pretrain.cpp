#include "stages/pretrain.h"

namespace hone {

void PretrainSpec::describe_stage(Fields& f) {
  source.describe(f);
  f.choice(
      "packing", packing, text_packing_names,
      "documents: each text is a sequence (or several, when it is longer than the context); stream: all texts end to "
      "end, cut to the context's length.");
  training.describe(f);
  f.section("evaluation", evaluation, "Held-out evaluation: eval/loss, eval/perplexity.");
}

StageSummary PretrainSpec::run(Run& run) const {
  run.use_heads({});
  LanguageModelObjective objective(
      run, load_texts(run, source, {.learned = Learned::everything, .packing = packing}, evaluation.rows),
      training.tokens_per_pass);
  return Training(run, training, evaluation.interval, name, objective).run();
}

}  // namespace hone
