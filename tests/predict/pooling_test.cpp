#include "predict/pooling.h"

#include <cmath>

#include "golden_numbers.h"
#include "support/committed_golden.h"
#include "support/error_of.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

constexpr std::string_view kModules = R"([
  {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
  {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
  {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}])";

/// A sentence-transformers directory with this pooling configuration.
void write_model(const test::Scratch& scratch, std::string_view modules, std::string_view pooling) {
  std::filesystem::create_directory(scratch.path() / "1_Pooling");
  scratch.file("modules.json", modules);
  scratch.file("1_Pooling/config.json", pooling);
}

}  // namespace

TEST_CASE("predict: pooled vectors are those of sentence-transformers") {
  const Json golden = test::committed_golden("pooling.json");
  for (const Json& test : golden.at("cases").as_array()) {
    INFO(test.dump());
    const std::int64_t prompt = test.at("prompt_tokens").as_integer();
    PoolingPlan plan{.modes = {}, .normalize = test.at("normalize").as_bool(), .include_prompt = prompt == 0};
    for (const std::string& mode : test::texts_of(test.at("modes")))
      plan.modes.push_back(PoolingPlan::parse_mode(mode));
    const auto vector =
        pool(plan, test::floats_of(test.at("hidden")), static_cast<std::size_t>(test.at("dimension").as_integer()),
             static_cast<std::size_t>(prompt));
    test::check_json_near(rows_to_json(vector, vector.size()).as_array().front(), test.at("vector"));
  }
}

TEST_CASE("predict: how to pool is read as it was written") {
  for (const bool normalize : {false, true}) {
    const test::Scratch scratch;
    const PoolingPlan plan{.modes = {PoolingMode::cls, PoolingMode::weightedmean},
                           .normalize = normalize,
                           .include_prompt = false,
                           .dimension = 12,
                           .max_tokens = 40,
                           .lower_case = true};
    write_pooling_plan(plan, scratch.path());
    const PoolingPlan read = *read_pooling_plan(scratch.path());
    CHECK(read.modes == plan.modes);
    CHECK(read.normalize == normalize);
    CHECK_FALSE(read.include_prompt);
    CHECK(read.dimension == 12);
    CHECK(read.max_tokens == 40);
    CHECK(read.lower_case);
    CHECK(std::filesystem::is_directory(scratch.path() / "2_Normalize") == normalize);
  }
}

TEST_CASE("predict: a sentence-transformers directory says how to pool") {
  const test::Scratch scratch;
  CHECK_FALSE(read_pooling_plan(scratch.path()).has_value());
  write_model(scratch, kModules, R"({"word_embedding_dimension": 384, "pooling_mode_cls_token": false,
    "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false, "pooling_mode_mean_sqrt_len_tokens": false})");
  scratch.file("sentence_bert_config.json", R"({"max_seq_length": 256, "do_lower_case": true})");
  const PoolingPlan old = *read_pooling_plan(scratch.path());
  CHECK(old.modes == std::vector<PoolingMode>{PoolingMode::mean});
  CHECK(old.normalize);
  CHECK(old.dimension == 384);
  CHECK(old.max_tokens == 256);
  CHECK(old.lower_case);
  scratch.file("1_Pooling/config.json",
               R"({"embedding_dimension": 8, "pooling_mode": ["lasttoken", "cls"], "include_prompt": false})");
  const PoolingPlan now = *read_pooling_plan(scratch.path());
  CHECK(now.modes == std::vector<PoolingMode>{PoolingMode::lasttoken, PoolingMode::cls});
  CHECK_FALSE(now.include_prompt);
  CHECK(now.dimension == 8);
  scratch.file("1_Pooling/config.json", R"({"pooling_mode_max_tokens": true, "pooling_mode_cls_token": true})");
  CHECK(read_pooling_plan(scratch.path())->modes == std::vector<PoolingMode>{PoolingMode::cls, PoolingMode::max});
}

TEST_CASE("predict: what a sentence-transformers directory has beyond pooling is refused") {
  const test::Scratch scratch;
  const auto modules = [&](std::string_view text) { return scratch.file("modules.json", text); };
  write_model(scratch, kModules, R"({"pooling_mode": "median"})");
  HONE_CHECK_ERROR(config, read_pooling_plan(scratch.path()), "pooling mode median");
  scratch.file("1_Pooling/config.json", R"({"pooling_mode": "mean", "mystery": 1})");
  HONE_CHECK_ERROR(data, read_pooling_plan(scratch.path()), "1_Pooling/config.json", "mystery");
  scratch.file("1_Pooling/config.json", R"({"pooling_mode": "mean"})");
  modules(
      R"([{"path": "", "type": "x.Transformer"}, {"path": "1_Pooling", "type": "x.Pooling"},
                {"path": "2_Dense", "type": "x.Dense"}])");
  HONE_CHECK_ERROR(data, read_pooling_plan(scratch.path()), "modules.json", "Dense");
  modules(R"([{"path": "", "type": "x.Transformer"}])");
  HONE_CHECK_ERROR(data, read_pooling_plan(scratch.path()), "the modules are Transformer");
  modules(R"([{"path": "../elsewhere", "type": "x.Pooling"}])");
  HONE_CHECK_ERROR(data, read_pooling_plan(scratch.path()), "../elsewhere", "outside");
  modules(R"([{"path": 3, "type": "x.Pooling"}])");
  HONE_CHECK_ERROR(data, read_pooling_plan(scratch.path()), "string");
  modules("{");
  HONE_CHECK_ERROR(data, read_pooling_plan(scratch.path()), "modules.json");
  modules(kModules);
  std::filesystem::remove(scratch.path() / "1_Pooling/config.json");
  HONE_CHECK_ERROR(io, read_pooling_plan(scratch.path()), "1_Pooling/config.json");
}

TEST_CASE("predict: cosine similarity, and vectors without length") {
  const std::vector<float> a{3, 4}, b{4, 3}, zero{0, 0};
  CHECK(cosine_similarity(a, b) == doctest::Approx(24.0 / 25));
  CHECK(cosine_similarity(a, a) == doctest::Approx(1));
  CHECK(cosine_similarity(a, zero) == 0);
  std::vector<float> unit{3, 4}, still = zero;
  normalize(unit);
  normalize(still);
  CHECK(unit[0] == doctest::Approx(0.6));
  CHECK(still == zero);
  CHECK(rows_to_json(std::vector<float>{1, 2, 3, 4}, 2).dump() == "[[1.0,2.0],[3.0,4.0]]");
}

TEST_CASE("predict: hidden states that do not fit are refused") {
  const PoolingPlan plan;
  HONE_CHECK_ERROR(data, pool(plan, std::vector<float>(7), 2), "7 numbers", "2 dimensions");
  HONE_CHECK_ERROR(data, pool(plan, {}, 2), "no tokens");
  HONE_CHECK_ERROR(data, pool({.include_prompt = false}, std::vector<float>(4), 2, 2), "no tokens");
  HONE_CHECK_ERROR(data, pool({.dimension = 3}, std::vector<float>(4), 2), "expects 3");
}

}  // namespace hone
