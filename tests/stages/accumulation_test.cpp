// The loss and the gradient that a stage accumulates must not depend on how its batch is computed: one row, about four or all sixteen
// at once, with every activation kept or computed again. A step of plain gradient descent with a large rate shows the
// gradient as the difference of the weights.
#include <functional>
#include <utility>

#include "policies/moe.h"
#include "stages/best_of_n.h"
#include "stages/classify.h"
#include "stages/contrastive.h"
#include "stages/distill.h"
#include "stages/dpo.h"
#include "stages/grpo.h"
#include "stages/kto.h"
#include "stages/labelled_rows.h"
#include "stages/mlm.h"
#include "stages/model_directory.h"
#include "stages/online_dpo.h"
#include "stages/ppo.h"
#include "stages/pretrain.h"
#include "stages/qa_span.h"
#include "stages/reward_model.h"
#include "stages/sft.h"
#include "stages/tiny_letters.h"
#include "stages/tiny_rl.h"
#include "stages/token_classify.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr std::int64_t kRows = 16;
constexpr double kRate = 1e4;
constexpr std::int64_t kWhole = 1'000'000;
constexpr const char* kNames[] = {"first", "second", "third"};

/// kRows lines; `of` gives what stands between the braces.
std::string lines_of(const std::function<std::string(std::uint64_t)>& of) {
  std::string lines;
  for (std::uint64_t i = 0; i < kRows; ++i) lines += "{" + of(i) + "}\n";
  return lines;
}

std::string texts() {
  return lines_of([](std::uint64_t i) { return R"("text":")" + text_of_class(i, i % 3) + "\""; });
}

std::string answered(std::uint64_t i) {
  return R"("prompt":")" + text_of_class(i, 0) + R"(","completion":")" + text_of_class(i + 1, 1) + "\"";
}

std::string answers() { return lines_of(answered); }

std::string judged() {
  return lines_of([](std::uint64_t i) { return answered(i) + R"(,"label":)" + (i % 3 == 0 ? "true" : "false"); });
}

std::string pairs() {
  return lines_of([](std::uint64_t i) {
    return R"("prompt":")" + text_of_class(i, 0) + R"(","chosen":")" + text_of_class(i + 1, 1) + R"(","rejected":")" +
           text_of_class(i + 2, 2) + "\"";
  });
}

std::string alike() {
  return lines_of([](std::uint64_t i) {
    return R"("anchor":")" + text_of_class(i, 0) + R"(","positive":")" + text_of_class(i + 1, 1) + "\"";
  });
}

/// Words of one letter, four to eight of them.
std::string words(std::uint64_t index) {
  std::string text;
  for (const char letter : text_of_class(index, 0)) text += std::string(text.empty() ? "" : " ") + letter;
  return text;
}

std::string spelled() {
  return lines_of([](std::uint64_t i) { return R"("text":")" + words(i) + "\""; });
}

std::string spelled_answers() {
  return lines_of([](std::uint64_t i) { return R"("prompt":")" + words(i) + R"(","completion":")" + words(i + 1) + "\""; });
}

std::string tagged() {
  return lines_of([](std::uint64_t i) {
    std::string tokens, tags;
    for (const char letter : text_of_class(i, 0)) {
      tokens += (tokens.empty() ? "\"" : ",\"") + std::string(1, letter) + "\"";
      tags += std::string(tags.empty() ? "" : ",") + (letter == 'a' ? "\"A\"" : "\"O\"");
    }
    return R"("tokens":[)" + tokens + R"(],"tags":[)" + tags + "]";
  });
}

std::string questions() {
  return lines_of([](std::uint64_t i) {
    return R"("context":")" + words(i) + R"(","question":"a","answers":{"text":[")" + words(i).substr(2, 1) +
           R"("],"answer_start":[2]})";
  });
}

/// How the step is computed.
struct Way {
  std::int64_t tokens_per_pass = kWhole;
  bool checkpointing = false;
};
constexpr Way kWays[] = {{.tokens_per_pass = 1}, {.tokens_per_pass = 48}, {.tokens_per_pass = 200},
                         {.tokens_per_pass = 48, .checkpointing = true}, {.checkpointing = true}};

template <class Spec>
void configure(Spec& spec, double rate, const Way& way) {
  const OptimizerConfig plain{.rule = RuleKind::sgd, .learning_rate = rate, .max_grad_norm = 0};
  spec.kind = spec.name = "stage";
  if constexpr (requires { spec.rl; }) {
    spec.rl.tokens_per_pass = way.tokens_per_pass;
    spec.rl.gradient_checkpointing = way.checkpointing;
    spec.rl.optimizer = plain;
  } else {
    spec.training.steps = 1;
    spec.training.batch_size = kRows;
    spec.training.tokens_per_pass = way.tokens_per_pass;
    spec.training.gradient_checkpointing = way.checkpointing;
    spec.training.optimizer = plain;
  }
}

/// Compares losses and gradients of a stage's first step over these lines. Heads that it adds are drawn from the seed: a step
/// of rate 0 tells what they were.
template <class Make>
void check_invariance(const std::string& lines, const Make& make,
                      const std::function<void(TinyRun&)>& prepare = [](TinyRun&) {},
                      std::span<const Way> ways = kWays) {
  const auto step = [&](double rate, const Way& way) {
    TinyRun tiny;
    prepare(tiny);
    if (!lines.empty()) tiny.add_data("rows", "rows.jsonl", lines);
    auto spec = make();
    configure(spec, rate, way);
    spec.run(tiny.run);
    return std::pair(tiny.weights().to(at::kDouble), tiny.series("loss"));
  };
  const at::Tensor before = step(0, {}).first;
  const auto [whole_step, whole_loss] = step(kRate, {});
  const at::Tensor whole = (whole_step - before) / kRate;
  REQUIRE(whole.norm().item<double>() > 1e-3);
  for (const Way& way : ways) {
    CAPTURE(way.tokens_per_pass);
    CAPTURE(way.checkpointing);
    const auto [weights, loss] = step(kRate, way);
    const at::Tensor parts = (weights - before) / kRate;
    CHECK(((parts - whole).norm() / whole.norm()).item<double>() <= 1e-6);
    REQUIRE(loss.size() == whole_loss.size());
    for (std::size_t i = 0; i < loss.size(); ++i) CHECK(loss[i] == doctest::Approx(whole_loss[i]).epsilon(1e-6));
  }
}

/// A spec that learns from the data set "rows".
template <class Spec>
auto from_rows(const std::function<void(Spec&)>& change = [](Spec&) {}) {
  return [change] {
    Spec spec;
    if constexpr (requires { spec.source; }) {
      spec.source.data = "rows";
    } else {
      spec.data = "rows";
    }
    change(spec);
    return spec;
  };
}

/// One that learns from sampled answers.
template <class Spec>
Spec from_prompts() {
  Spec spec;
  spec.prompts.environment = std::make_unique<FirstLetterSpec>();
  spec.prompts.rewards.push_back(low_ids());
  spec.prompts.sampling.max_tokens = 4;
  spec.prompts.evaluation.prompts = 1;
  spec.samples = 4;
  return spec;
}

}  // namespace

TEST_CASE("stages: pretrain, by documents or as a stream, accumulates the same gradient in any passes") {
  for (const TextPacking packing : {TextPacking::documents, TextPacking::stream}) {
    check_invariance(texts(), from_rows<PretrainSpec>([&](PretrainSpec& spec) { spec.packing = packing; }));
  }
}

TEST_CASE("stages: a mixture of experts accumulates the same gradient in any passes, but for its balance") {
  const auto with_balance = [](double balance) {
    return [balance](TinyRun& tiny) {
      auto moe = std::make_unique<MoeSpec>();
      moe->experts = 4;
      moe->balance = balance;
      use_letters(tiny, std::move(moe), "moe");
    };
  };
  check_invariance(spelled(), from_rows<PretrainSpec>(), with_balance(0));
  check_invariance(spelled_answers(), from_rows<SftSpec>(), with_balance(0));
  // The balance is that of a pass's tokens: it stays only where passes do.
  constexpr Way checkpointing[] = {{.checkpointing = true}};
  check_invariance(spelled(), from_rows<PretrainSpec>(), with_balance(0.1), checkpointing);
}

TEST_CASE("stages: the balance of experts is that of each pass") {
  const auto loss = [](double balance, std::int64_t tokens_per_pass) {
    TinyRun tiny;
    auto moe = std::make_unique<MoeSpec>();
    moe->experts = 4;
    moe->balance = balance;
    use_letters(tiny, std::move(moe), "moe");
    tiny.add_data("rows", "rows.jsonl", spelled());
    auto spec = from_rows<PretrainSpec>()();
    configure(spec, 0, {.tokens_per_pass = tokens_per_pass});
    spec.run(tiny.run);
    return tiny.series("loss").at(0);
  };
  const double whole = loss(1, kWhole) - loss(0, kWhole), parts = loss(1, 1) - loss(0, 1);
  CHECK(whole >= doctest::Approx(2).epsilon(0.05));  // two choices a token, evenly spread: E · Σ k/E · 1/E = k
  CHECK(whole < 3);
  CHECK(parts > whole);  // a single row cannot spread its tokens as evenly as all rows together
}

TEST_CASE("stages: mlm, of encoders and encoder-decoders, accumulates the same gradient in any passes") {
  check_invariance(spelled(), from_rows<MlmSpec>(), use_bert);
  check_invariance(spelled(), from_rows<MlmSpec>(), use_t5);
}

TEST_CASE("stages: sft accumulates the same gradient in any passes") {
  check_invariance(answers(), from_rows<SftSpec>());
  check_invariance(spelled_answers(), from_rows<SftSpec>(), use_t5);
}

TEST_CASE("stages: sft with smoothed labels and noisy embeddings accumulates the same gradient in any passes") {
  check_invariance(answers(), from_rows<SftSpec>([](SftSpec& spec) {
                     spec.regularization = {.label_smoothing = 0.1, .neftune_alpha = 5};
                   }));
}

TEST_CASE("stages: classify accumulates the same gradient in any passes") {
  check_invariance(labelled_rows(kRows, 3, kNames), from_rows<ClassifySpec>());
}

TEST_CASE("stages: tags of words and answers to questions accumulate the same gradient in any passes") {
  check_invariance(tagged(), from_rows<TokenClassifySpec>(), use_bert);
  check_invariance(questions(), from_rows<QaSpanSpec>(), use_bert);
}

TEST_CASE("stages: contrastive accumulates the same gradient in any passes, by gradient caching") {
  check_invariance(alike(), from_rows<ContrastiveSpec>());
}

TEST_CASE("stages: reward models accumulate the same gradient in any passes, of pairs and of labels") {
  for (const bool labels : {false, true}) {
    check_invariance(labels ? labelled_rows(kRows, 2, kNames) : pairs(), from_rows<RewardModelSpec>());
  }
}

TEST_CASE("stages: dpo, orpo, simpo and cpo accumulate the same gradient in any passes") {
  check_invariance(pairs(), from_rows<DpoSpec>());
  check_invariance(pairs(), from_rows<OrpoSpec>());
  check_invariance(pairs(), from_rows<SimpoSpec>());
  check_invariance(pairs(), from_rows<CpoSpec>());
}

TEST_CASE("stages: kto accumulates the same gradient in any passes") {
  check_invariance(judged(), from_rows<KtoSpec>());
}

TEST_CASE("stages: distill accumulates the same gradient in any passes, of given and of own completions") {
  Catalogs catalogs;
  catalogs.add<PolicySpec>({"policy", {{"llama", "", [] { return std::unique_ptr<Component>(new LlamaSpec); }}}});
  const auto teach = [&](TinyRun& tiny) {
    tiny.run.catalogs = &catalogs;
    Model teacher(*tiny.run.policy, HeadPlan{}, tiny.run.compute, false);
    teacher.store.initialize(99);
    teacher.store.refresh();
    save_model_directory(teacher, *tiny.run.tokenizer, tiny.run.initial_model());
  };
  for (const double share : {0.0, 1.0}) {
    check_invariance("", [share] {
      DistillSpec spec;
      spec.teacher = "initial";
      spec.source.environment = std::make_unique<FirstLetterSpec>();
      spec.sampling.max_tokens = 4;
      spec.student_share = share;
      return spec;
    }, teach);
  }
}

TEST_CASE("stages: what learns from sampled answers accumulates the same gradient in any passes") {
  check_invariance("", from_prompts<BestOfNSpec>);
  check_invariance("", from_prompts<OnlineDpoSpec>);
}

TEST_CASE("stages: grpo and ppo accumulate the same gradient in any passes") {
  check_invariance("", [] {
    GrpoSpec spec = quick<GrpoSpec>("grpo");
    spec.rl.kl.place = KlPlace::loss;
    spec.rl.kl.estimator = KlEstimator::k3;
    spec.rl.entropy_coefficient = 0.01;
    return spec;
  });
  check_invariance("", [] {
    PpoSpec spec = quick<PpoSpec>("ppo");
    spec.rl.epochs = 1;
    return spec;
  }, [](TinyRun& tiny) { tiny.run.use_heads({.value = true}); });
}
