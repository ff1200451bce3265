#include "stages/contrastive.h"

#include <algorithm>
#include <cmath>

#include "algo/contrastive_loss.h"
#include "base/random.h"
#include "rollout/pack.h"
#include "stages/contrastive_objective.h"
#include "stages/golden_curve.h"
#include "stages/text_vectors.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr std::int64_t row_count = 16;

std::string letters(std::uint64_t seed, std::uint64_t most) {
  std::string text;
  for (std::uint64_t i = 0; i <= seed * 7 % most; ++i) text += static_cast<char>('a' + (seed * 31 + i * i * 5) % 26);
  return text;
}

std::string pairs(std::int64_t rows = row_count) {
  std::string lines;
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto seed = static_cast<std::uint64_t>(i);
    lines += R"({"anchor":")" + letters(seed + 3, 17) + R"(","positive":")" + letters(seed + 90, 13) + "\"}\n";
  }
  return lines;
}

std::string triplets() {
  std::string lines;
  for (std::uint64_t i = 0; i < row_count; ++i) {
    lines += R"({"anchor":")" + letters(i + 3, 17) + R"(","positive":")" + letters(i + 90, 13) + R"(","negative":")" +
             letters(i + 200, 11) + "\"}\n";
  }
  return lines;
}

std::string scored() {
  std::string lines;
  for (std::uint64_t i = 0; i < row_count; ++i) {
    lines += R"({"text":")" + letters(i + 3, 17) + R"(","text_pair":")" + letters(i + 90, 13) + R"(","value":)" +
             std::to_string(i % 6) + "}\n";
  }
  return lines;
}

std::string texts() {
  std::string lines;
  for (std::uint64_t i = 0; i < row_count; ++i) lines += R"({"text":")" + letters(i + 3, 17) + "\"}\n";
  return lines;
}

ContrastiveSpec make_spec() {
  ContrastiveSpec spec;
  spec.kind = spec.name = "contrastive";
  spec.data = "rows";
  spec.training.steps = 1;
  spec.training.batch_size = row_count;
  return spec;
}

/// What a plain step of rate 1e4 moved.
at::Tensor gradient(const std::string& lines, ContrastiveSpec spec, std::int64_t tokens_per_pass) {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", lines);
  const at::Tensor before = tiny.weights().to(at::kDouble);
  spec.training.tokens_per_pass = tokens_per_pass;
  spec.training.optimizer = {.rule = RuleKind::sgd, .learning_rate = 1e4, .max_grad_norm = 0};
  spec.run(tiny.run);
  return (tiny.weights().to(at::kDouble) - before) / 1e4;
}

/// `tokens_per_pass` 60: by gradient caching.
void check_curve(const std::string& name, ContrastiveSpec spec, std::int64_t tokens_per_pass) {
  const Json golden = committed_golden("contrastive_curve.json");
  const Json& expected = golden.at("runs").at(name);
  TinyRun tiny(kernels::Compute::float32, static_cast<std::uint64_t>(golden.at("seed").as_integer()));
  tiny.run.tokenizer = letter_pieces(tiny.scratch, golden.at("words").as_string());
  start_from(tiny, "bert_base");
  std::string rows;
  for (const Json& row : expected.at("rows").as_array()) rows += row.dump() + "\n";
  tiny.add_data("rows", "rows.jsonl", rows);
  spec.name = name;
  set_steps(spec.training, golden);
  spec.training.tokens_per_pass = tokens_per_pass;
  spec.run(tiny.run);
  check_curve_of(tiny, name, expected, 5e-3);
}

}  // namespace

TEST_CASE("stages: contrastive goes the way of a plain loop over transformers, cached or not") {
  for (const std::int64_t tokens_per_pass : {8192, 60}) {
    CAPTURE(tokens_per_pass);
    check_curve("pairs", make_spec(), tokens_per_pass);
    ContrastiveSpec products = make_spec();
    products.similarity = VectorSimilarity::dot;
    products.temperature = 1;
    products.pooling = 2;  // max
    check_curve("products", products, tokens_per_pass);
    ContrastiveSpec triplets = make_spec();
    triplets.pooling = 1;  // cls
    check_curve("triplets", triplets, tokens_per_pass);
    check_curve("cosent", make_spec(), tokens_per_pass);
    ContrastiveSpec cosine = make_spec();
    cosine.loss = ContrastiveLoss::cosine;
    cosine.full_score = 5;
    check_curve("cosine", cosine, tokens_per_pass);
  }
}

TEST_CASE("stages: gradient caching gives contrastive the gradient of the whole batch") {
  for (const std::string& lines : {pairs(), triplets(), scored()}) {
    const at::Tensor whole = gradient(lines, make_spec(), 1'000'000);
    REQUIRE(whole.norm().item<double>() > 1e-3);
    for (const std::int64_t tokens_per_pass : {1, 48, 200}) {
      CAPTURE(tokens_per_pass);
      CHECK(((gradient(lines, make_spec(), tokens_per_pass) - whole).norm() / whole.norm()).item<double>() <= 1e-6);
    }
  }
}

TEST_CASE("stages: gradient caching draws the same dropout in both of its passes") {
  TinyRun tiny;
  std::vector<TokenExample> examples;
  for (std::uint64_t i = 0; i < 12; ++i) {
    examples.push_back({.ids = tiny.run.tokenizer->encode(letters(i, 17))});
    examples.back().context_tokens = static_cast<std::int64_t>(examples.back().ids.size());
  }
  const ContrastiveSpec spec = make_spec();
  const PoolingPlan plan{.normalize = true};
  ContrastiveObjective objective(tiny.run, {{examples, {}}, 2}, spec, ContrastiveLoss::info_nce, plan);
  const std::vector<std::uint64_t> rows{4, 0, 5, 2, 1, 3};
  const GradientPass pass{.tokens_per_pass = 30, .dropout = 0.3, .draw = 77};
  const double cached_loss = objective.accumulate(rows, pass);
  const at::Tensor cached = tiny.run.model->store.grads().clone();
  tiny.run.model->store.zero_grads();

  const Batch whole = objective.batch(rows, pass.draw);
  const auto cuts = cut_by_tokens(whole, pass.tokens_per_pass);
  REQUIRE(cuts.size() > 3);
  std::vector<at::Tensor> parts;  // their graphs are all alive at once
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    parts.push_back(text_vectors(*tiny.run.model, plan, pick_sequences(whole, cuts[i]),
                                 DropoutDraw{pass.dropout, Random(pass.draw, i).next64()}));
  }
  const at::Tensor vectors = at::cat(parts);
  const at::Tensor loss = info_nce_loss(vectors.narrow(0, 0, 6), vectors.narrow(0, 6, 6), at::scalar_tensor(20.0, at::kDouble));
  loss.backward();
  const at::Tensor expected = tiny.run.model->store.grads().clone();
  REQUIRE(expected.norm().item<double>() > 1e-3);
  CHECK(cached_loss == doctest::Approx(loss.item<double>()).epsilon(1e-12));
  CHECK(((cached - expected).norm() / expected.norm()).item<double>() <= 1e-6);
}

TEST_CASE("stages: every pooling is that of prediction, and its gradient that of plain operators") {
  const at::Tensor hidden = (at::arange(9 * 6, at::kFloat) * 1.7).sin().view({9, 6}).requires_grad_();
  const at::Tensor start = at::tensor({0, 2, 3, 9}, at::kInt);
  const at::Tensor weight = (at::arange(3 * 6, at::kFloat) * 0.9).cos().view({3, 6});
  const auto by_hand = [](PoolingMode mode, const at::Tensor& rows) {
    const std::int64_t n = rows.size(0);
    const at::Tensor place = at::arange(1, n + 1, at::kFloat).unsqueeze(1);
    switch (mode) {
      case PoolingMode::cls: return rows[0];
      case PoolingMode::max: return std::get<0>(rows.max(0));
      case PoolingMode::mean: return rows.mean(0);
      case PoolingMode::mean_sqrt_len_tokens: return rows.sum(0) / std::sqrt(static_cast<double>(n));
      case PoolingMode::weightedmean: return (rows * place).sum(0) / place.sum();
      case PoolingMode::lasttoken: break;
    }
    return rows[n - 1];
  };
  for (int mode = 0; mode < 6; ++mode) {
    for (const bool unit : {false, true}) {
      const PoolingPlan plan{.modes = {static_cast<PoolingMode>(mode)}, .normalize = unit};
      std::vector<at::Tensor> expected;
      for (const auto& [first, end] : {std::pair{0, 2}, {2, 3}, {3, 9}}) {
        expected.push_back(by_hand(plan.modes[0], hidden.slice(0, first, end)));
      }
      at::Tensor oracle = at::stack(expected);
      if (unit) oracle = oracle / oracle.norm(2, {1}, true);
      const at::Tensor vectors = pooled(plan, hidden, start);
      CHECK(at::allclose(vectors, oracle, 1e-6, 1e-6));
      for (std::int64_t s = 0; s < 3; ++s) {
        const at::Tensor rows = hidden.detach().slice(0, start[s].item<int>(), start[s + 1].item<int>()).contiguous();
        const std::vector<float> told = pool(plan, {rows.const_data_ptr<float>(), static_cast<std::size_t>(rows.numel())}, 6);
        CHECK(at::allclose(vectors[s], at::tensor(told), 1e-6, 1e-6));
      }
      (oracle * weight).sum().backward();
      const at::Tensor by_oracle = hidden.grad().clone();
      hidden.mutable_grad().reset();
      (vectors * weight).sum().backward();
      CHECK(at::allclose(hidden.grad(), by_oracle, 1e-5, 1e-6));
      hidden.mutable_grad().reset();
    }
  }
}

TEST_CASE("stages: SimCSE tells texts from themselves by dropout, and learns") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", texts(), 0.3);
  ContrastiveSpec spec = make_spec();
  spec.training.steps = 30;
  spec.training.batch_size = 8;
  spec.training.dropout = 0.1;
  spec.training.tokens_per_pass = 64;
  spec.training.optimizer.learning_rate = 3e-3;
  spec.run(tiny.run);
  const std::vector<double> loss = tiny.series("loss");
  CHECK(loss.back() < 0.8 * loss.front());
  CHECK(!tiny.series("eval/loss").empty());
  spec.training.dropout = 0;
  HONE_CHECK_ERROR(config, spec.run(tiny.run), "dropout", "0.1");
}

TEST_CASE("stages: a learned temperature moves, within its bound, and is reported") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", pairs());
  ContrastiveSpec spec = make_spec();
  spec.loss = ContrastiveLoss::info_nce;
  spec.temperature_learning_rate = 0.5;
  spec.training.steps = 20;
  spec.training.optimizer.learning_rate = 3e-3;
  spec.run(tiny.run);
  const std::vector<double> temperature = tiny.series("temperature");
  REQUIRE(temperature.size() == 20);
  CHECK(temperature[0] != doctest::Approx(0.05).epsilon(1e-3));
  for (const double value : temperature) CHECK(value >= 0.0099999);
}

TEST_CASE("stages: held-out rows are ranked: accuracy of pairs, correlations of scored ones") {
  for (const bool with_scores : {false, true}) {
    TinyRun tiny;
    tiny.add_data("rows", "rows.jsonl", with_scores ? scored() : pairs(), 0.4);
    ContrastiveSpec spec = make_spec();
    spec.training.batch_size = 3;
    spec.run(tiny.run);
    for (const double loss : tiny.series("eval/loss")) CHECK(std::isfinite(loss));
    CHECK(tiny.series("eval/accuracy").size() == (with_scores ? 0 : 2));
    CHECK(tiny.series("eval/spearman").size() == (with_scores ? 2 : 0));
  }
}

TEST_CASE("stages: a contrastive stage that is resumed equals one that never stopped") {
  const auto spec_of = [](std::int64_t steps) {
    ContrastiveSpec spec = make_spec();
    spec.loss = ContrastiveLoss::info_nce;
    spec.temperature_learning_rate = 1e-2;
    spec.training.steps = steps;
    spec.training.batch_size = 6;
    spec.training.tokens_per_pass = 64;
    spec.training.dropout = 0.1;
    spec.training.checkpoint_every = 3;
    spec.training.optimizer.learning_rate = 1e-3;
    return spec;
  };
  TinyRun whole, second;
  for (TinyRun* tiny : {&whole, &second}) tiny->add_data("rows", "rows.jsonl", pairs());
  spec_of(6).run(whole.run);
  const std::filesystem::path middle = whole.run.checkpoint_directory("contrastive") / "step_3";
  REQUIRE(std::filesystem::exists(middle / "modules.json"));
  second.run.catalogs = &policy_table();
  const std::filesystem::path place = second.run.checkpoint_directory("contrastive") / "step_3";
  std::filesystem::create_directories(place.parent_path());
  std::filesystem::copy(middle, place, std::filesystem::copy_options::recursive);
  const std::vector<std::string> stages{"contrastive"};
  second.run.resume_point = find_resume_point(second.run.directory, stages);
  REQUIRE(second.run.resume_point);
  second.run.restore_model(place);
  CHECK(second.run.pooling()->normalize);
  spec_of(6).run(second.run);
  CHECK(at::equal(whole.weights(), second.weights()));
  CHECK(whole.series("temperature").back() == second.series("temperature").back());
}

TEST_CASE("stages: what contrastive saves says how to pool") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", pairs());
  tiny.run.use_pooling(PoolingPlan{.modes = {PoolingMode::cls, PoolingMode::max}, .max_tokens = 20});
  make_spec().run(tiny.run);
  tiny.run.save_checkpoint(tiny.scratch.path() / "saved", {.stage = "contrastive", .machine = Json::object(), .values = Json::object()});
  const PoolingPlan plan = *read_pooling_plan(tiny.scratch.path() / "saved");
  CHECK((plan.modes == std::vector<PoolingMode>{PoolingMode::cls, PoolingMode::max}));
  CHECK(plan.normalize);
  CHECK(plan.max_tokens == 20);
  CHECK(plan.dimension == 32);
}

TEST_CASE("stages: rows that contrastive cannot learn from are refused before the first step") {
  TinyRun tiny;
  const auto with = [&](const std::string& lines) {
    const std::string name = "rows" + std::to_string(tiny.run.data.size());
    tiny.add_data(name, name + ".jsonl", lines);
    ContrastiveSpec spec = make_spec();
    spec.data = name;
    return spec;
  };
  HONE_CHECK_ERROR(data, with(pairs(1)).run(tiny.run), "one row", "no negatives");
  HONE_CHECK_ERROR(data, with(R"({"anchor":"a","positive":"b","negative":"b"})" "\n").run(tiny.run), "jsonl:1",
                   "the same text");
  HONE_CHECK_ERROR(data, with(R"({"prompt":"a","completion":"b"})" "\n").run(tiny.run), "prompt+completion",
                   "anchor+positive");
  ContrastiveSpec cosine = with(scored());
  cosine.loss = ContrastiveLoss::cosine;
  HONE_CHECK_ERROR(data, cosine.run(tiny.run), "jsonl:3", "full_score", "cosent");
  ContrastiveSpec wrong = with(pairs());
  wrong.loss = ContrastiveLoss::cosent;
  HONE_CHECK_ERROR(data, wrong.run(tiny.run), "anchor+positive", "cosent", "text+text_pair+value");
  CHECK(tiny.series("loss").empty());
}
