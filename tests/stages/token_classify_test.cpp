#include "stages/token_classify.h"

#include <fmt/format.h>

#include "base/random.h"
#include "data/small_wordpiece.h"
#include "stages/tiny_run.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Words of a and b are of one type, c begins an entity that d goes on.
std::string tagged_rows(std::uint64_t count) {
  std::string lines;
  for (std::uint64_t i = 0; i < count; ++i) {
    Random random(stream_key(3, "tagged rows"), i);
    std::string tokens, tags;
    for (std::uint64_t t = 0; t < 3 + i % 4; ++t) {
      const std::uint64_t which = random.below(3);
      tokens += fmt::format("{}\"{}\"", tokens.empty() ? "" : ",", which == 0 ? "ab" : which == 1 ? "cd" : "dd");
      tags += fmt::format("{}\"{}\"", tags.empty() ? "" : ",", which == 0 ? "O" : which == 1 ? "B-X" : "I-X");
    }
    lines += "{\"tokens\":[" + tokens + "],\"tags\":[" + tags + "]}\n";
  }
  return lines;
}

TokenClassifySpec quick_tagging() {
  TokenClassifySpec spec;
  spec.kind = spec.name = "tagger";
  spec.data = "rows";
  spec.training.steps = 40;
  spec.training.batch_size = 16;
  spec.training.optimizer.learning_rate = 1e-2;
  return spec;
}

}  // namespace

TEST_CASE("stages: token_classify learns the tags of words and scores entities") {
  TinyRun tiny;
  tiny.run.tokenizer = small_wordpiece(tiny.scratch);
  tiny.add_data("rows", "rows.jsonl", tagged_rows(200), 0.3);
  const StageSummary summary = quick_tagging().run(tiny.run);
  CHECK(summary.held_out[0].metric == "F1");
  CHECK(tiny.series("eval/f1").back() >= 0.95);
  CHECK(tiny.series("eval/f1/X").back() == tiny.series("eval/f1").back());
  CHECK(tiny.series("eval/accuracy").back() >= 0.95);
  CHECK(tiny.run.model->score->kind() == HeadKind::tokens);
  CHECK(tiny.run.model->plan.labels == std::vector<std::string>{"B-X", "I-X", "O"});
  CHECK(std::filesystem::exists(tiny.run.checkpoint_directory("tagger") / "labels.json"));
}

TEST_CASE("stages: one tag only, and rows of another shape, are refused") {
  TinyRun tiny;
  tiny.run.tokenizer = small_wordpiece(tiny.scratch);
  tiny.add_data("rows", "rows.jsonl", "{\"tokens\":[\"a\"],\"tags\":[\"O\"]}\n");
  HONE_CHECK_ERROR(data, quick_tagging().run(tiny.run), "data.rows", "at least two classes", "O");
  TinyRun other;
  other.add_data("rows", "rows.jsonl", "{\"text\":\"a\"}\n");
  HONE_CHECK_ERROR(data, quick_tagging().run(other.run), "data.rows", "tokens+tags");
}
