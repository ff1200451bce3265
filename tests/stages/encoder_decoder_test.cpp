#include <algorithm>

#include "data/examples.h"
#include "envs/skeleton.h"
#include "policies/t5.h"
#include "rewards/exact_match.h"
#include "stages/classify.h"
#include "stages/eval.h"
#include "stages/grpo.h"
#include "stages/labelled_rows.h"
#include "stages/packed_forward.h"
#include "stages/ppo.h"
#include "stages/pretrain.h"
#include "stages/reward_model.h"
#include "stages/sft.h"
#include "stages/text_scorers.h"
#include "stages/tiny_rl.h"
#include "stages/to_batch.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr const char* names[] = {"first", "second", "third"};

/// A run of a small T5.
struct TinyT5 : TinyRun {
  explicit TinyT5(std::uint64_t seed = 7) : TinyRun(kernels::Compute::float32, seed) {
    auto spec = std::make_unique<T5Spec>();
    spec->kind = spec->name = "t5";
    spec->vocabulary_size = run.tokenizer->vocab_size();
    spec->hidden = 32;
    spec->heads = 2;
    spec->layers = 2;
    spec->mlp = 64;
    spec->context = 24;
    spec->buckets = 16;
    spec->max_distance = 20;
    run.model = std::make_unique<Model>(*spec, HeadPlan{}, kernels::Compute::float32, true);
    run.policy = std::move(spec);
    run.model->store.initialize(seed);
    run.model->store.refresh();
  }
};

/// Two to five different letters.
std::string word(std::uint64_t index) {
  Random random(stream_key(5, "words"), index);
  std::string letters = "abcdefgh";
  for (std::size_t i = 0; i < 5; ++i) std::swap(letters[i], letters[i + random.below(letters.size() - i)]);
  return letters.substr(0, 2 + index % 4);
}

std::string reversed(std::string text) {
  std::reverse(text.begin(), text.end());
  return text;
}

std::string reversals(std::uint64_t count) {
  std::string lines;
  for (std::uint64_t i = 0; i < count; ++i) {
    lines += R"({"prompt":")" + word(i) + R"(","completion":")" + reversed(word(i)) + "\"}\n";
  }
  return lines;
}

/// Greedy, the whole target anew for each token.
std::string answer(const Run& run, const std::string& prompt) {
  const at::NoGradGuard no_grad;
  TokenExample example{.ids = {run.model->policy->shape().decoder_start},
                       .source_ids = encode_source(*run.tokenizer, prompt)};
  std::vector<std::int32_t> written;
  while (written.size() < 12) {
    const at::Tensor hidden_TD =
        batch_hidden(*run.model, to_batch(pack(std::span(&example, 1), std::vector<std::uint64_t>{0})));
    const at::Tensor last = hidden_TD.narrow(0, hidden_TD.size(0) - 1, 1).contiguous();
    const auto id = static_cast<std::int32_t>(run.model->policy->lm_head().logits(last).argmax().item<std::int64_t>());
    if (id == run.tokenizer->eos_id()) break;
    written.push_back(id);
    example.ids.push_back(id);
  }
  return run.tokenizer->decode(written);
}

SftSpec quick_sft() {
  SftSpec spec;
  spec.kind = spec.name = "sft";
  spec.source.data = "words";
  spec.training.steps = 300;
  spec.training.batch_size = 32;
  spec.training.optimizer.learning_rate = 1e-2;
  return spec;
}

}  // namespace

TEST_CASE("stages: sft teaches an encoder-decoder model to reverse words it has not seen") {
  TinyT5 tiny;
  tiny.add_data("words", "words.jsonl", reversals(8000), 0.05);
  SftSpec spec = quick_sft();
  spec.training.steps = 900;
  spec.training.optimizer.learning_rate = 3e-3;
  const StageSummary summary = spec.run(tiny.run);
  REQUIRE(summary.held_out.size() == 1);
  CHECK(summary.held_out[0].metric == "loss");
  CHECK(*summary.held_out[0].before > 2);
  CHECK(*summary.held_out[0].after < 0.1);
  int right = 0;
  for (std::uint64_t i = 5000; i < 5050; ++i) right += answer(tiny.run, word(i)) == reversed(word(i)) ? 1 : 0;
  CHECK(right >= 45);
}

TEST_CASE("stages: sft of an encoder-decoder model learns demonstrations of an environment, judged by generation") {
  TinyT5 tiny;
  SftSpec spec = quick_sft();
  spec.source.data.reset();
  spec.source.environment = std::make_unique<FirstLetterSpec>();
  spec.training.steps = 250;
  spec.training.optimizer.learning_rate = 3e-3;
  spec.evaluation.sampling.max_tokens = 3;
  auto exact = std::make_unique<ExactMatchSpec>();
  exact->kind = exact->name = "exact_match";
  spec.evaluation.rewards.push_back(std::move(exact));
  const StageSummary summary = spec.run(tiny.run);
  CHECK(summary.held_out.at(0).metric == "reward (greedy)");
  CHECK(*summary.held_out.at(0).before <= 0.2);
  CHECK(*summary.held_out.at(0).after >= 0.7);  // of seven prompts
  CHECK(tiny.series("eval/loss").back() < 0.25 * tiny.series("eval/loss").front());
  CHECK(answer(tiny.run, "ca>") == "c");
}

TEST_CASE("stages: an encoder-decoder model plays one turn") {
  TinyT5 tiny;
  Engine engine(*tiny.run.model, *tiny.run.tokenizer, {});
  SkeletonEnvSpec spec;
  spec.turns = 3;
  const std::unique_ptr<Environment> environment = spec.make({.seed = 3});
  const std::vector<std::uint64_t> prompts{0};
  HONE_CHECK_ERROR(config, collect(engine, *tiny.run.tokenizer, *environment, prompts, {.max_tokens = 2}, {.key = 1}),
                   "prompt 0", "needs a causal decoder");
}

TEST_CASE("stages: a step of an encoder-decoder model does not depend on how its batch is cut into passes") {
  const auto first_step = [](std::int64_t tokens_per_pass) {
    TinyT5 tiny;
    const at::Tensor before = tiny.weights();
    tiny.add_data("words", "words.jsonl", reversals(64));
    SftSpec spec = quick_sft();
    spec.training.steps = 1;
    spec.training.dropout = 0;
    spec.training.tokens_per_pass = tokens_per_pass;
    spec.training.optimizer.learning_rate = 1e-3;
    spec.run(tiny.run);
    return tiny.series("grad_norm").at(0);
  };
  CHECK(first_step(8192) == doctest::Approx(first_step(16)).epsilon(1e-6));
}

TEST_CASE("stages: passes over sources and targets hold at most so many tokens of both") {
  std::vector<TokenExample> examples;
  for (std::int32_t i = 0; i < 4; ++i) {
    examples.push_back({.ids = {1, 2}, .source_ids = std::vector<std::int32_t>(static_cast<std::size_t>(2 + i), 3)});
  }
  const Batch batch = batch_of(examples);  // 4, 5, 6 and 7 tokens
  CHECK(cut_by_tokens(batch, 11) == std::vector<std::vector<std::int64_t>>{{0, 1}, {2}, {3}});
}

TEST_CASE("stages: encoder-decoder models classify, and judge as rewards") {
  TinyT5 tiny;
  tiny.add_data("rows", "rows.jsonl", labelled_rows(240, 3, names), 0.3);
  ClassifySpec spec;
  spec.kind = spec.name = "judge";
  spec.data = "rows";
  spec.training.steps = 60;
  spec.training.batch_size = 16;
  spec.training.optimizer.learning_rate = 1e-2;
  const StageSummary summary = spec.run(tiny.run);
  CHECK(*summary.held_out.at(0).after >= 0.95);

  auto frozen = std::make_unique<Model>(*tiny.run.policy, tiny.run.model->plan, kernels::Compute::float32, false);
  frozen->copy_weights(*tiny.run.model);
  const std::unique_ptr<TextScorer> scorer = head_scorer(std::move(frozen), *tiny.run.tokenizer);
  const std::vector<TextScorer::Item> items{
      {.prompt = "klmk", .completion = "mkl"}, {.prompt = "abc", .completion = "ab"}, {.prompt = "", .completion = ""}};
  const std::vector<double> scores = scorer->score(items);
  CHECK(scores.at(0) > 0);
  CHECK(scores.at(1) < 0);
  HONE_CHECK_ERROR(config, likelihood_scorer(tiny.run.frozen_copy(), *tiny.run.tokenizer), "causal decoder");
}

TEST_CASE("stages: a reward model on an encoder-decoder model learns pairs") {
  TinyT5 tiny;
  std::string lines;
  for (std::uint64_t i = 0; i < 120; ++i) {
    lines += R"({"prompt":")" + word(i) + R"(","chosen":")" + text_of_class(i, 0) + R"(","rejected":")" +
             text_of_class(i, 1) + "\"}\n";
  }
  tiny.add_data("pairs", "pairs.jsonl", lines, 0.2);
  RewardModelSpec spec;
  spec.kind = spec.name = "reward_model";
  spec.data = "pairs";
  spec.training.steps = 40;
  spec.training.batch_size = 16;
  spec.training.optimizer.learning_rate = 1e-2;
  CHECK(*spec.run(tiny.run).held_out.at(0).after >= 0.95);
}

TEST_CASE("stages: what needs a causal decoder refuses an encoder-decoder model before it touches it") {
  TinyT5 tiny;
  const at::Tensor before = tiny.weights();
  tiny.add_data("words", "words.jsonl", reversals(8));
  PretrainSpec pretrain;
  pretrain.kind = pretrain.name = "first";
  pretrain.source.data = "words";
  pretrain.training.steps = 1;
  HONE_CHECK_ERROR(config, pretrain.run(tiny.run), "stages.first", "causal decoder", "t5", "encoder-decoder", "sft");
  HONE_CHECK_ERROR(config, quick<GrpoSpec>("grpo").run(tiny.run), "stages.grpo", "causal decoder", "encoder-decoder");
  HONE_CHECK_ERROR(config, quick<PpoSpec>("ppo").run(tiny.run), "stages.ppo", "causal decoder", "encoder-decoder");
  EvalSpec eval;
  eval.kind = eval.name = "look";
  eval.data = "texts";
  tiny.add_data("texts", "texts.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n", 0.5);
  HONE_CHECK_ERROR(config, eval.run(tiny.run), "stages.look", "causal decoder", "prompt+completion");
  CHECK(at::equal(tiny.weights(), before));
}

TEST_CASE("stages: a source longer than the context may be an error that names the row") {
  TinyT5 tiny;
  tiny.add_data("words", "words.jsonl",
                R"({"prompt":"a","completion":"b"})"
                "\n"
                R"({"prompt":")" +
                    std::string(30, 'x') +
                    R"(","completion":"b"})"
                    "\n");
  SftSpec spec = quick_sft();
  spec.overlong = Overlong::error;
  HONE_CHECK_ERROR(data, spec.run(tiny.run), "words.jsonl:2", "source has 30 tokens", "24");
}
