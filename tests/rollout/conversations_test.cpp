#include "engine/tiny_model.h"
#include "rollout/collect.h"
#include "text/chat_format.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr std::string_view chatml =
    "{% for m in messages %}<|bos|>{{ m.role[0] }}{{ m.content }}<|eos|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|bos|>a{% endif %}";

/// Asks in messages, and goes on twice.
class Asking : public Environment {
 public:
  std::uint64_t size(Split) const override { return 2; }
  Prompt prompt(Split split, std::uint64_t index) const override {
    return {.id = prompt_id(split, index), .split = split, .messages = {{"user", std::to_string(index)}}};
  }
  Step step(const Episode& episode) override {
    const bool last = episode.turns.size() == 3;
    return {.done = last, .reply = last ? "" : "more<|eos|>"};
  }
};

std::vector<Episode> episodes_of(TinyModel& tiny) {
  Asking environment;
  Engine engine(*tiny.model, *tiny.tokenizer, {});
  return collect(engine, *tiny.tokenizer, environment, std::vector<std::uint64_t>{0, 1}, {.max_tokens = 4},
                 {.samples = 64, .key = 3});
}

}  // namespace

TEST_CASE("rollout: prompts of messages are rendered with the opening of the answer, replies as turns of the user") {
  TinyModel tiny(kernels::Compute::float32, 160);
  tiny.tokenizer->set_chat(ChatFormat::given(std::string(chatml)));
  const std::int32_t eos = *tiny.tokenizer->eos_id();
  bool ended = false, cut = false;
  for (const Episode& episode : episodes_of(tiny)) {
    CHECK(tiny.tokenizer->decode(episode.prompt_ids, SkipSpecial::no) ==
          "<|bos|>u" + episode.prompt.messages[0].content + "<|eos|>\n<|bos|>a");
    REQUIRE(episode.turns.size() == 3);
    for (std::size_t i = 0; i < 2; ++i) {
      const Turn& turn = episode.turns[i];
      const bool stopped = turn.completion.ids.back() == eos;
      (stopped ? ended : cut) = true;
      CHECK(tiny.tokenizer->decode(turn.reply_ids, SkipSpecial::no) ==
            std::string(stopped ? "" : "<|eos|>") + "\n<|bos|>umore<|eos|><|eos|>\n<|bos|>a");
      CHECK(std::count(turn.reply_ids.begin(), turn.reply_ids.end(), eos) == (stopped ? 1 : 2));
    }
    CHECK(episode.turns[2].reply_ids.empty());
  }
  CHECK(cut);
  CHECK(ended);
}

TEST_CASE("rollout: prompts of messages without a template name the key to set") {
  TinyModel tiny;
  HONE_CHECK_ERROR(config, episodes_of(tiny), "prompt 0", "tokenizer.chat_template");
}
