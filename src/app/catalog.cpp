#include "app/catalog.h"

#include "envs/arithmetic.h"
#include "envs/calculator.h"
#include "envs/dataset.h"
#include "envs/grid.h"
#include "envs/python_tool.h"
#include "envs/random_walks.h"
#include "envs/skeleton.h"
#include "plugin/exec.h"
#include "plugin/http_reward.h"
#include "plugin/judge_reward.h"
#include "plugin/library_spec.h"
#include "policies/bert.h"
#include "policies/gemma.h"
#include "policies/gpt2.h"
#include "policies/gpt_neox.h"
#include "policies/llama.h"
#include "policies/modernbert.h"
#include "policies/moe.h"
#include "policies/phi3.h"
#include "policies/t5.h"
#include "rewards/code_tests.h"
#include "rewards/diversity.h"
#include "rewards/environment.h"
#include "rewards/exact_match.h"
#include "rewards/fluency.h"
#include "rewards/format.h"
#include "rewards/gsm8k.h"
#include "rewards/length.h"
#include "rewards/math_answer.h"
#include "rewards/model_score.h"
#include "rewards/numeric_answer.h"
#include "rewards/overlap.h"
#include "rewards/process_score.h"
#include "rewards/random_walks.h"
#include "rewards/repetition.h"
#include "rewards/safety.h"
#include "rewards/skeleton.h"
#include "stages/best_of_n.h"
#include "stages/classify.h"
#include "stages/contrastive.h"
#include "stages/distill.h"
#include "stages/dpo.h"
#include "stages/eval.h"
#include "stages/grpo.h"
#include "stages/grpo_presets.h"
#include "stages/kto.h"
#include "stages/mlm.h"
#include "stages/online_dpo.h"
#include "stages/ppo.h"
#include "stages/pretrain.h"
#include "stages/qa_span.h"
#include "stages/reward_model.h"
#include "stages/sft.h"
#include "stages/token_classify.h"

namespace hone {

namespace {

template <class Spec>
std::unique_ptr<Component> make() {
  return std::make_unique<Spec>();
}

Catalog stages() {
  return {"stage",
          {
              {"pretrain", "Causal language modelling on plain text.", make<PretrainSpec>},
              {"mlm", "Masked language modelling: hidden tokens or spans of plain text.", make<MlmSpec>},
              {"sft", "Supervised fine-tuning on completions.", make<SftSpec>},
              {"classify", "Classes or numbers of texts and of pairs of texts.", make<ClassifySpec>},
              {"contrastive", "Vectors of texts that are alike where the texts are.", make<ContrastiveSpec>},
              {"token_classify", "A class for each word.", make<TokenClassifySpec>},
              {"qa_span", "Where in a context the answer to a question is.", make<QaSpanSpec>},
              {"reward_model", "Scores of answers from pairs, labels or ratings, or of steps.", make<RewardModelSpec>},
              {"dpo", "Direct preference optimization and its losses, from pairs.", make<DpoSpec>},
              {"kto", "Kahneman-Tversky optimization, from single good and bad answers.", make<KtoSpec>},
              {"orpo", "Odds-ratio preference optimization: supervised and from pairs at once.", make<OrpoSpec>},
              {"simpo", "Simple preference optimization: from pairs, without a reference.", make<SimpoSpec>},
              {"cpo", "Contrastive preference optimization: from pairs, without a reference.", make<CpoSpec>},
              {"online_dpo", "Direct preference optimization on the policy's own answers.", make<OnlineDpoSpec>},
              {"best_of_n", "Fine-tuning on the best of several answers to each prompt.", make<BestOfNSpec>},
              {"rejection_sampling", "Fine-tuning on every answer that is good enough.", make<RejectionSamplingSpec>},
              {"distill", "A smaller model learns the distributions of a teacher.", make<DistillSpec>},
              {"ppo", "Proximal policy optimization with a critic.", make<PpoSpec>},
              {"grpo", "Group-relative policy optimization.", make<GrpoSpec>},
              {"dr_grpo", "GRPO without deviations and lengths in the loss.", make<DrGrpoSpec>},
              {"rloo", "Answers against the mean of the others.", make<RlooSpec>},
              {"reinforce_plus_plus", "Single answers, advantages whitened over the batch.", make<ReinforcePlusPlusSpec>},
              {"remax", "Single answers against the greedy one.", make<RemaxSpec>},
              {"gspo", "GRPO with one probability ratio an episode.", make<GspoSpec>},
              {"cispo", "GRPO with clipped ratios as constant factors.", make<CispoSpec>},
              {"dapo", "GRPO with a higher clip and groups that teach something.", make<DapoSpec>},
              {"sapo", "GRPO whose clip fades.", make<SapoSpec>},
              {"gdpo", "GRPO that compares each reward by itself.", make<GdpoSpec>},
              {"eval", "Held-out evaluation without training.", make<EvalSpec>},
          }};
}

Catalog environments() {
  return {"environment",
          {
              {"arithmetic", "Procedural sums with one right answer.", make<ArithmeticSpec>},
              {"random_walks", "Shortest paths on a small random graph.", make<RandomWalksSpec>},
              {"dataset", "Prompts and references from a data set's rows.", make<DatasetSpec>},
              {"skeleton", "Guess a number with hints: the multi-turn example to copy.", make<SkeletonEnvSpec>},
              {"calculator", "Number problems with a calculator to call.", make<CalculatorSpec>},
              {"grid", "A walk to the goal on a grid, a move a turn.", make<GridSpec>},
              {"python_tool", "A data set's prompts, answered with the help of Python.", make<PythonToolSpec>},
              {"exec", "A program in any language.", make<ExecEnvironmentSpec>},
              {"library", "A shared library (docs/plugin_abi.md).", make<LibraryEnvironmentSpec>},
          }};
}

Catalog rewards() {
  return {"reward",
          {
              {"exact_match", "1 when the completion equals the reference answer.", make<ExactMatchSpec>},
              {"numeric_answer", "1 when the completion's number equals the reference's.", make<NumericAnswerSpec>},
              {"format", "1 when the completion matches a pattern.", make<FormatSpec>},
              {"length", "Shapes the length of completions.", make<LengthSpec>},
              {"repetition", "Penalty for repeated n-grams.", make<RepetitionSpec>},
              {"diversity", "Different n-grams within the completions of one prompt.", make<DiversitySpec>},
              {"fluency", "Mean log-likelihood under a frozen language model.", make<FluencySpec>},
              {"model_score", "The score of a trained reward model or classifier.", make<ModelScoreSpec>},
              {"process_score", "The steps of a completion by a reward model of steps.", make<ProcessScoreSpec>},
              {"random_walks", "How near a walk comes to the shortest path.", make<RandomWalksRewardSpec>},
              {"skeleton", "The example to copy.", make<SkeletonRewardSpec>},
              {"math_answer", "1 when the answer is mathematically equal to the reference's.", make<MathAnswerSpec>},
              {"gsm8k", "1 when the number behind #### is the reference's.", make<Gsm8kSpec>},
              {"code_tests", "The program in the completion against tests, in the sandbox.", make<CodeTestsSpec>},
              {"overlap", "BLEU or ROUGE against references.", make<OverlapSpec>},
              {"safety", "Penalty for words and personal data.", make<SafetySpec>},
              {"environment", "What the environment gave for each turn.", make<EnvironmentRewardSpec>},
              {"exec", "A program in any language.", make<ExecRewardSpec>},
              {"library", "A shared library (docs/plugin_abi.md).", make<LibraryRewardSpec>},
              {"http", "A service that scores (docs/plugins_http.md).", make<HttpRewardSpec>},
              {"judge", "A chat model behind an OpenAI-compatible endpoint.", make<JudgeRewardSpec>},
          }};
}

Catalog policies() {
  return {"policy",
          {
              {"llama", "Decoders of the Llama, Mistral, Qwen2 and Qwen3 shapes.", make<LlamaSpec>},
              {"phi3", "Decoders of the Phi-3 and Phi-4 shapes.", make<Phi3Spec>},
              {"gemma", "Decoders of Gemma, Gemma 2 and Gemma 3 (text).", make<GemmaSpec>},
              {"moe", "Mixtures of experts: Mixtral and Qwen3-MoE.", make<MoeSpec>},
              {"gpt2", "Decoders of the GPT-2 shape.", make<Gpt2Spec>},
              {"gpt_neox", "Decoders of the GPT-NeoX and Pythia shape.", make<GptNeoxSpec>},
              {"bert", "Encoders: BERT, RoBERTa, DistilBERT.", make<BertSpec>},
              {"modernbert", "Encoders of the ModernBERT shape.", make<ModernBertSpec>},
              {"t5", "Encoder-decoders: T5, Flan-T5.", make<T5Spec>},
          }};
}

Catalogs tables() {
  Catalogs all;
  all.add<StageSpec>(stages());
  all.add<EnvironmentSpec>(environments());
  all.add<RewardSpec>(rewards());
  all.add<PolicySpec>(policies());
  return all;
}

}  // namespace

const Catalogs& built_in() {
  static const Catalogs catalogs = tables();
  return catalogs;
}

}  // namespace hone
