#include "engine/number_tokenizer.h"
#include "engine/tiny_model.h"
#include "policies/architectures.h"

using namespace hone;
using namespace hone::test;

TEST_CASE("engine: a text ends where its model would compute it with other rotary frequencies from its start") {
  const std::unique_ptr<Model> model = open_model(golden_checkpoint("phi3_longrope"));
  REQUIRE(model->policy->shape().switch_length == 16);
  REQUIRE(model->policy->shape().context == 128);
  const NumberTokenizer tokenizer(48, 2);
  Engine engine(*model, tokenizer, {});
  SamplingConfig sampling{.temperature = 0, .max_tokens = 200, .min_tokens = 200};  // no end of sequence
  std::vector<Request> requests(4);
  const std::size_t lengths[] = {5, 16, 17, 100};
  const std::size_t written[] = {11, 1, 111, 28};
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t t = 0; t < lengths[i]; ++t)
      requests[i].context.push_back(static_cast<std::int32_t>(3 + t * 5 % 45));
  }
  const std::vector<Completion> completions = engine.generate(requests, sampling);
  const auto beams = engine.beam_search(requests, {.num_beams = 2}, sampling);
  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(lengths[i]);
    CHECK(completions[i].ids.size() == written[i]);
    CHECK(completions[i].finish == FinishReason::length);
    REQUIRE(beams[i].size() == 1);
    CHECK(beams[i][0].completion.ids.size() == written[i]);
    CHECK(beams[i][0].completion.finish == FinishReason::length);
    Ids whole = requests[i].context;
    for (const std::int32_t id : completions[i].ids) {
      const at::Tensor logits_TV = logits_of(*model, whole);
      at::Tensor last = logits_TV[static_cast<std::int64_t>(whole.size()) - 1].clone();
      last[2] = -1e9;
      CHECK(id == last.argmax().item<std::int64_t>());
      whole.push_back(id);
    }
  }
}
