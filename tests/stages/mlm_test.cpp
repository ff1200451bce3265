#include "stages/mlm.h"

#include <cmath>

#include "stages/model_directory.h"
#include "stages/tiny_letters.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Rows through the alphabet: each letter tells the next.
std::string alphabets(int rows) {
  std::string lines;
  for (int row = 0; row < rows; ++row) {
    std::string text;
    for (int i = 0; i < 12; ++i) text += std::string(1, static_cast<char>('a' + (row + i) % 8)) + " ";
    lines += R"({"text":")" + text + std::string(1, static_cast<char>('a' + row / 8 % 8)) + "\"}\n";
  }
  return lines;
}

struct TinyBert : TinyRun {
  TinyBert() { use_bert(*this); }
};

MlmSpec quick() {
  MlmSpec spec;
  spec.kind = spec.name = "mlm";
  spec.data = "rows";
  spec.training.steps = 60;
  spec.training.batch_size = 32;
  spec.training.optimizer.learning_rate = 5e-3;
  return spec;
}

}  // namespace

TEST_CASE("stages: mlm teaches an encoder to fill in letters of rows it has not seen") {
  TinyBert tiny;
  tiny.add_data("rows", "rows.jsonl", alphabets(256), 0.2);
  MlmSpec spec = quick();
  spec.training.steps = 300;
  const StageSummary summary = spec.run(tiny.run);
  REQUIRE(summary.held_out.size() == 1);
  CHECK(*summary.held_out[0].before > 1.5);
  CHECK(*summary.held_out[0].after < 0.6);
  CHECK(tiny.series("eval/perplexity").back() == doctest::Approx(std::exp(tiny.series("eval/loss").back())));
  CHECK(tiny.text.find("random weights") == std::string::npos);
}

TEST_CASE("stages: mlm hides other tokens in every step and the same ones in every evaluation") {
  TinyBert tiny;
  tiny.add_data("rows", "rows.jsonl", alphabets(40), 0.3);
  MlmSpec spec = quick();
  spec.training.steps = 4;
  spec.training.batch_size = 64;  // all rows in each step
  spec.training.optimizer.learning_rate = 0;
  spec.evaluation.interval.steps = 1;
  spec.run(tiny.run);
  const std::vector<double> loss = tiny.series("loss"), held_out = tiny.series("eval/loss");
  CHECK(loss[0] != loss[1]);
  CHECK(loss[1] != loss[2]);
  REQUIRE(held_out.size() == 5);
  for (const double value : held_out) CHECK(value == held_out[0]);
}

TEST_CASE("stages: what mlm hides does not depend on how a batch is cut, packed or not") {
  for (const TextPacking packing : {TextPacking::documents, TextPacking::stream}) {
    const auto figures = [packing](std::int64_t tokens_per_pass) {
      TinyBert tiny;
      tiny.add_data("rows", "rows.jsonl", alphabets(64));
      MlmSpec spec = quick();
      spec.packing = packing;
      spec.training.steps = 3;
      spec.training.tokens_per_pass = tokens_per_pass;
      spec.run(tiny.run);
      std::vector<double> values = tiny.series("loss");
      for (const double norm : tiny.series("grad_norm")) values.push_back(norm);
      return values;
    };
    const std::vector<double> whole = figures(8192), cut = figures(20);
    for (std::size_t i = 0; i < whole.size(); ++i) CHECK(whole[i] == doctest::Approx(cut[i]).epsilon(1e-5));
  }
}

TEST_CASE("stages: mlm teaches an encoder-decoder model to write hidden spans") {
  for (const TextPacking packing : {TextPacking::documents, TextPacking::stream}) {
    TinyRun tiny;
    use_t5(tiny);
    tiny.add_data("rows", "rows.jsonl", alphabets(256), 0.2);
    MlmSpec spec = quick();
    spec.packing = packing;
    spec.training.steps = 150;
    spec.run(tiny.run);
    const std::vector<double> held_out = tiny.series("eval/loss");
    CHECK(held_out.front() > 2);
    CHECK(held_out.back() < 0.5 * held_out.front());
  }
}

TEST_CASE("stages: texts packed as a stream lose nothing, as documents what is behind the longest length") {
  const auto sequences = [](TextPacking packing) {
    TinyBert tiny;
    tiny.add_data("rows", "rows.jsonl", alphabets(20));
    MlmSpec spec = quick();
    spec.packing = packing;
    spec.length.max_tokens = 10;
    spec.training.epochs = 1;
    spec.training.steps.reset();
    spec.training.batch_size = 1;
    spec.training.optimizer.learning_rate = 0;
    spec.run(tiny.run);
    return tiny.series("loss").size();
  };
  CHECK(sequences(TextPacking::documents) == 20);
  CHECK(sequences(TextPacking::stream) == 30);  // 20 rows of 13 letters, [CLS] and [SEP]
}

TEST_CASE("stages: mlm refuses models and tokenizers that it can hide nothing from, before anything is learned") {
  TinyRun decoder;
  decoder.add_data("rows", "rows.jsonl", alphabets(8));
  const at::Tensor before = decoder.weights();
  HONE_CHECK_ERROR(config, quick().run(decoder.run), "stages.mlm", "an encoder", "causal decoder", "pretrain");
  CHECK(at::equal(decoder.weights(), before));

  TinyBert bert;
  bert.add_data("rows", "rows.jsonl", alphabets(8));
  bert.run.tokenizer = byte_tokenizer();
  HONE_CHECK_ERROR(config, quick().run(bert.run), "mask_token");
}

TEST_CASE("stages: mlm leaves out texts without a token to hide, and needs one that has") {
  TinyBert tiny;
  const std::string bare = "{\"text\":\"? !\"}\n";  // unknown to the vocabulary
  tiny.add_data("rows", "rows.jsonl", bare + bare);
  HONE_CHECK_ERROR(data, quick().run(tiny.run), "data.rows", "none of 2 rows", "special tokens");
  tiny.add_data("mixed", "mixed.jsonl", bare + alphabets(2) + bare);
  MlmSpec spec = quick();
  spec.data = "mixed";
  spec.training.steps = 2;
  spec.training.batch_size = 1;
  spec.run(tiny.run);
  CHECK(tiny.series("loss").size() == 2);
  tiny.add_data("pairs", "pairs.jsonl", "{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\"}\n");
  spec.data = "pairs";
  HONE_CHECK_ERROR(config, spec.run(tiny.run), "data.pairs", "expected texts");
}

TEST_CASE("stages: mlm gives a model without a head for tokens a new one, and transformers' class for it is saved") {
  const std::filesystem::path folder = committed_golden_folder() / "models" / "bert_classify";
  TinyRun tiny;
  tiny.run.catalogs = &policy_table();
  tiny.run.tokenizer = eight_letters(tiny.scratch);
  tiny.run.policy = read_policy_spec(folder, policy_table());
  tiny.run.model = open_model(folder);
  REQUIRE_FALSE(tiny.run.model->plan.lm);
  tiny.add_data("rows", "rows.jsonl", alphabets(32));
  MlmSpec spec = quick();
  spec.training.steps = 2;
  spec.run(tiny.run);
  CHECK(tiny.run.model->plan.lm);
  save_model_directory(*tiny.run.model, *tiny.run.tokenizer, tiny.scratch.path() / "saved", {});
  const Json config = read_model_config(tiny.scratch.path() / "saved");
  CHECK(config.at("architectures").as_array().at(0).as_string() == "BertForMaskedLM");
  CHECK_FALSE(read_head_plan(tiny.scratch.path() / "saved").scores);
}
