#include "stages/qa_span.h"

#include <fmt/format.h>

#include "base/random.h"
#include "data/small_wordpiece.h"
#include "stages/answer_examples.h"
#include "stages/tiny_run.h"

using namespace hone;
using namespace hone::test;

namespace {

using Ids = std::vector<std::int32_t>;
using Span = std::array<std::int64_t, 2>;

/// The answer to "a" is the word of c, to "b" the one of d.
std::string questions(std::uint64_t count) {
  std::string lines;
  for (std::uint64_t i = 0; i < count; ++i) {
    Random random(stream_key(4, "questions"), i);
    std::string context;
    std::size_t begin = 0;
    const std::uint64_t words = 4 + random.below(5), at = random.below(words);
    const std::string answer = i % 2 == 0 ? "cc" : "dd";
    for (std::uint64_t w = 0; w < words; ++w) {
      if (!context.empty()) context += ' ';
      if (w == at) begin = context.size();
      context += w == at ? answer : random.below(2) == 0 ? "a" : "b";
    }
    lines += fmt::format("{{\"context\":\"{}\",\"question\":\"{}\",\"answers\":{{\"text\":[\"{}\"],\"answer_start\":[{}]}}}}\n",
                         context, i % 2 == 0 ? "a" : "b", answer, begin);
  }
  return lines;
}

QaSpanSpec quick_answers() {
  QaSpanSpec spec;
  spec.kind = spec.name = "answers";
  spec.data = "rows";
  spec.max_tokens = 16;
  spec.stride = 2;
  spec.training.steps = 60;
  spec.training.batch_size = 16;
  spec.training.optimizer.learning_rate = 1e-2;
  return spec;
}

}  // namespace

TEST_CASE("stages: a question with a long context becomes windows, and only those with the whole answer name it") {
  const Scratch scratch;
  const auto tokenizer = small_wordpiece(scratch);
  DataConfig config;
  config.path = scratch.file("q.jsonl", R"({"context":"a b cd a b","question":"c","answers":{"text":["cd"],"answer_start":[4]}})"
                                        "\n" R"({"context":"a","question":"c","answers":{"text":[],"answer_start":[]}})").string();
  const Dataset data = Dataset::load("d", config);
  ModelInput input(16);
  input.token_types = true;
  const AskedQuestions asked = encode_questions(data, Split::train, 9, *tokenizer, input, {.max_tokens = 8, .stride = 1});
  REQUIRE(asked.questions.size() == 2);
  REQUIRE(asked.questions[0].windows.size() == 2);  // four context tokens fit, one of them is shared
  CHECK(asked.examples[0].ids == Ids{2, 7, 3, 5, 6, 7, 12, 3});
  CHECK(asked.examples[0].type_ids == Ids{0, 0, 0, 1, 1, 1, 1, 1});
  CHECK(*asked.examples[0].span == Span{5, 6});
  CHECK(asked.examples[1].ids == Ids{2, 7, 3, 12, 5, 6, 3});
  CHECK(*asked.examples[1].span == Span{0, 0});
  CHECK(*asked.examples.back().span == Span{0, 0});
  CHECK(asked.questions[0].answers == std::vector<std::string>{"cd"});
  CHECK(asked.questions[1].answers.empty());
  HONE_CHECK_ERROR(data, encode_questions(data, Split::train, 9, *tokenizer, input, {.max_tokens = 8, .stride = 6}),
                   "q.jsonl:1", "stride");
}

TEST_CASE("stages: qa_span learns where answers are") {
  TinyRun tiny;
  tiny.run.tokenizer = small_wordpiece(tiny.scratch);
  tiny.add_data("rows", "rows.jsonl", questions(240), 0.3);
  const StageSummary summary = quick_answers().run(tiny.run);
  CHECK(summary.held_out[0].metric == "F1");
  CHECK(tiny.series("eval/exact").back() >= 0.9);
  CHECK(tiny.series("eval/f1").back() >= tiny.series("eval/exact").back());
  CHECK(tiny.series("eval/loss").back() < tiny.series("eval/loss").front());
  CHECK(tiny.run.model->score->kind() == HeadKind::spans);
}

TEST_CASE("stages: questions of which no window holds the answer are refused") {
  TinyRun tiny;
  tiny.run.tokenizer = small_wordpiece(tiny.scratch);
  tiny.add_data("rows", "rows.jsonl", "{\"context\":\"a\",\"question\":\"b\",\"answers\":{\"text\":[],\"answer_start\":[]}}\n");
  HONE_CHECK_ERROR(data, quick_answers().run(tiny.run), "data.rows", "all labels are masked");
}
