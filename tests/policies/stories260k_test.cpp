#include "engine/engine.h"
#include "policies/checkpoint.h"
#include "support/golden_tensor.h"
#include "support/piece_tokenizer.h"

using namespace hone;
using namespace hone::test;
namespace fs = std::filesystem;

namespace {

/// A published model of 260,032 parameters that tells stories, with the numbers that llama2.c and an independent
/// forward pass give for it.
struct Stories {
  explicit Stories(const fs::path& data)
      : tokenizer(data / "models/stories260K/tok512_vocab.json"),
        model(open_model(data / "models/stories260K/hf")),
        golden(golden_file(data, "stories260K_golden.json")) {}

  const Json& published(std::string_view key) const { return golden.at("published").at(key); }
  const Json& derived(std::string_view key) const { return golden.at("derived").at(key); }

  PieceTokenizer tokenizer;
  std::unique_ptr<Model> model;
  Json golden;
};

Ids ids_of(const Json& list) {
  Ids ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

/// The most likely story of that many tokens after the beginning of sequence.
Completion greedy_story(Stories& stories, std::int64_t tokens) {
  Engine engine(*stories.model, stories.tokenizer, {.slots = 1});
  const Request request{.context = {*stories.tokenizer.bos_id()}};
  return engine.generate(std::span(&request, 1), {.temperature = 0, .max_tokens = tokens}).at(0);
}

/// Without the space that opens the first word.
std::string story_text(const Completion& completion) { return completion.text.substr(1); }

}  // namespace

TEST_CASE("policies: stories260K tells the published story, token by token") {
  HONE_NEEDS_TEST_DATA(data);
  Stories stories(data);
  CHECK(stories.model->store.parameters() == stories.golden.at("config").at("params").as_integer());
  const Ids all = ids_of(stories.derived("greedy_ids"));
  const Completion completion = greedy_story(stories, static_cast<std::int64_t>(all.size()) - 1);
  CHECK(completion.ids == Ids(all.begin() + 1, all.end()));
  CHECK(story_text(completion) == stories.derived("greedy_text").as_string());
  CHECK(story_text(greedy_story(stories, 200)) == stories.published("greedy_n200_text").as_string());
  const std::string end = stories.published("greedy_n257_text").as_string().substr(4);  // after "... "
  CHECK(story_text(completion).ends_with(end));
}

TEST_CASE("policies: stories260K gives the golden log-probabilities while generating and while training") {
  HONE_NEEDS_TEST_DATA(data);
  Stories stories(data);
  const Ids all = ids_of(stories.derived("greedy_ids"));
  const at::Tensor expected = tensor_of(stories.derived("greedy_token_logprobs"));
  const kernels::TokenStatistics statistics = next_token_statistics(*stories.model, all);
  CHECK(gap(statistics.logprob_M, expected) <= 1e-4);
  const Completion completion = greedy_story(stories, static_cast<std::int64_t>(all.size()) - 1);
  CHECK(same_bits(at::tensor(at::ArrayRef<float>(completion.logprob)), statistics.logprob_M.detach()));
  const at::Tensor entropy = tensor_of(stories.derived("entropy_nats_first10"));
  CHECK(gap(statistics.entropy_M.slice(0, 0, entropy.size(0)), entropy) <= 1e-4);
}

TEST_CASE("policies: stories260K gives the golden logits after the beginning of sequence") {
  HONE_NEEDS_TEST_DATA(data);
  Stories stories(data);
  const at::Tensor expected = tensor_of(stories.derived("first_position_logits_after_bos"));
  CHECK(gap(logits_of(*stories.model, Ids{1})[0], expected) <= 1e-4);
}

TEST_CASE("policies: stories260K gives the golden likelihood of given texts") {
  HONE_NEEDS_TEST_DATA(data);
  Stories stories(data);
  for (const Json& item : stories.derived("teacher_forced").as_array()) {
    const std::string& text = item.at("text").as_string();
    CAPTURE(text);
    const Ids ids = ids_of(item.at("ids"));
    CHECK(stories.tokenizer.decode(ids) == " " + text);
    const at::NoGradGuard no_grad;
    const at::Tensor logprob = next_token_statistics(*stories.model, ids).logprob_M;
    CHECK(gap(logprob, tensor_of(item.at("token_logprobs"))) <= 2e-4);
    CHECK(-logprob.mean().item<double>() == doctest::Approx(item.at("mean_nll").as_number()).epsilon(1e-4));
    const at::Tensor last = logits_of(*stories.model, ids)[-1];
    for (const Json& top : item.at("last_logits_top5").as_array()) {
      const std::int64_t id = top.as_array().at(0).as_integer();
      CHECK(last[id].item<double>() == doctest::Approx(top.as_array().at(1).as_number()).epsilon(2e-5));
    }
  }
}

TEST_CASE("policies: int8 weights tell the texts of stories260K nearly as likely as float32 ones") {
  HONE_NEEDS_TEST_DATA(data);
  Stories stories(data);
  const fs::path place = data / "models/stories260K/hf";
  Model quantised(*read_policy_spec(place, policy_table()), HeadPlan{}, kernels::Compute::int8, false);
  load_weights(quantised, place);
  const at::NoGradGuard no_grad;
  double largest = 0;
  for (const Json& item : stories.derived("teacher_forced").as_array()) {
    const double loss = -next_token_statistics(quantised, ids_of(item.at("ids"))).logprob_M.mean().item<double>();
    largest = std::max(largest, std::abs(loss - item.at("mean_nll").as_number()));
  }
  CHECK(largest > 0);
  CHECK(largest <= 0.05);
  MESSAGE("largest change of a text's mean negative log-likelihood: " << largest);
}
