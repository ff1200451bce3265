#include <cmath>

#include "stages/language_model.h"
#include "stages/sft.h"
#include "stages/tiny_run.h"
#include "stages/to_batch.h"
#include "text/chat_format.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr std::string_view chatml =
    "{% for m in messages %}<|bos|>{{ m.role[0] }}{{ m.content }}<|eos|>{% endfor %}"
    "{% if add_generation_prompt %}<|bos|>a{% endif %}";

SftSpec sft_on(const std::string& data) {
  SftSpec spec;
  spec.kind = spec.name = "sft";
  spec.source.data = data;
  spec.training.steps = 60;
  spec.training.batch_size = 16;
  spec.training.optimizer.learning_rate = 1e-2;
  return spec;
}

/// Users write noise, the assistant says yes and then no.
std::string conversations() {
  std::string lines;
  for (int i = 0; i < 40; ++i) {
    const auto noise = [&](int turn) { return std::string(3, static_cast<char>('a' + (i * 7 + turn * 5) % 26)); };
    lines += R"({"messages": [{"role": "user", "content": ")" + noise(0) +
             R"("}, {"role": "assistant", "content": "yes"}, {"role": "user", "content": ")" + noise(1) +
             R"("}, {"role": "assistant", "content": "no"}]})" + "\n";
  }
  return lines;
}

Batch two_sequences() {
  const std::vector<TokenExample> examples = {{.ids = {1, 2, 3, 4}, .row = 5}, {.ids = {1, 2, 3, 4, 5, 6}, .row = 9}};
  return to_batch(pack(examples, std::vector<std::uint64_t>{0, 1}));
}

}  // namespace

TEST_CASE("stages: sft learns what the assistant says in every turn of a conversation") {
  TinyRun tiny;
  tiny.run.tokenizer->set_chat(ChatFormat::given(std::string(chatml)));
  tiny.add_data("chats", "chats.jsonl", conversations(), 0.2);
  const StageSummary summary = sft_on("chats").run(tiny.run);
  REQUIRE(summary.held_out.size() == 1);
  CHECK(*summary.held_out[0].after < 0.05);  // noise would cost more than a nat a letter
  SftSpec everything = sft_on("chats");
  everything.name = "everything";
  everything.learn = Learned::everything;
  CHECK(*everything.run(tiny.run).held_out[0].after > 0.2);
}

TEST_CASE("stages: rows of messages without a template say which key to set") {
  TinyRun tiny;
  tiny.add_data("chats", "chats.jsonl", conversations());
  HONE_CHECK_ERROR(config, sft_on("chats").run(tiny.run), "chats.jsonl:1", "tokenizer.chat_template");
}

TEST_CASE("stages: sft leaves out, cuts or refuses rows that are longer than the context") {
  const std::string lines = R"({"prompt":"a","completion":"b"})" "\n" R"({"prompt":")" + std::string(60, 'x') +
                            R"(","completion":"b"})" "\n";
  for (const Overlong overlong : {Overlong::skip, Overlong::truncate_left}) {
    TinyRun tiny;
    tiny.add_data("answers", "answers.jsonl", lines);
    SftSpec spec = sft_on("answers");
    spec.overlong = overlong;
    spec.training.steps = 1;
    spec.run(tiny.run);
    CHECK(tiny.series("loss").size() == 1);
  }
  TinyRun tiny;
  tiny.add_data("answers", "answers.jsonl", lines);
  SftSpec spec = sft_on("answers");
  spec.overlong = Overlong::error;
  HONE_CHECK_ERROR(data, spec.run(tiny.run), "answers.jsonl:2", "62 tokens", "context is 48");
}

TEST_CASE("stages: NEFTune's noise is uniform within alpha over the root of a sequence's size, and drawn by its row") {
  const Batch batch = two_sequences();
  const std::int64_t width = 512;
  const at::Tensor noise_TD = embedding_noise(batch, 5, width, 77);
  const std::vector<std::pair<std::int64_t, std::int64_t>> places = {{0, 4}, {4, 6}};
  for (const auto& [begin, count] : places) {
    const at::Tensor noise = noise_TD.narrow(0, begin, count);
    const double bound = 5 / std::sqrt(static_cast<double>(count * width));
    CHECK(noise.abs().max().item<double>() <= bound);
    CHECK(noise.abs().max().item<double>() > 0.99 * bound);
    CHECK(std::abs(noise.mean().item<double>()) < 0.05 * bound);
    CHECK(std::abs(noise.std().item<double>() * std::sqrt(3.0) / bound - 1) < 0.05);
  }
  const std::vector<TokenExample> alone = {{.ids = {1, 2, 3, 4, 5, 6}, .row = 9}};
  const Batch second = to_batch(pack(alone, std::vector<std::uint64_t>{0}));
  CHECK(at::equal(embedding_noise(second, 5, width, 77), noise_TD.narrow(0, 4, 6)));
  CHECK_FALSE(at::equal(embedding_noise(second, 5, width, 78), noise_TD.narrow(0, 4, 6)));
  CHECK_FALSE(embedding_noise(batch, 0, width, 77).defined());
}

TEST_CASE("stages: noise on embeddings changes training and no evaluation") {
  const auto first = [](double alpha, std::string_view metric) {
    TinyRun tiny;
    tiny.add_data("answers", "answers.jsonl", R"({"prompt":"a","completion":"bcd"})" "\n" R"({"prompt":"b","completion":"c"})" "\n", 0.5);
    SftSpec spec = sft_on("answers");
    spec.training.steps = 1;
    spec.regularization.neftune_alpha = alpha;
    spec.run(tiny.run);
    return tiny.series(metric).front();
  };
  CHECK(first(0, "loss") != first(20, "loss"));
  CHECK(first(20, "loss") == first(20, "loss"));
  CHECK(first(0, "eval/loss") == first(20, "eval/loss"));
}
