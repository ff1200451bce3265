#include <algorithm>

#include "engine/number_tokenizer.h"
#include "engine/tiny_model.h"
#include "policies/architectures.h"

using namespace hone;
using namespace hone::test;

namespace {

struct Translator {
  explicit Translator(const char* name)
      : golden(committed_golden("architectures/t5.json").at("models").at(name)),
        model(open_model(golden_checkpoint(golden.at("checkpoint").as_string()))) {}

  std::vector<Request> requests() const {
    std::vector<Request> requests;
    for (const Json& sequence : golden.at("sequences").as_array()) {
      requests.push_back({.key = 7, .prompt_id = requests.size(), .source = ids_of(sequence.at("ids"))});
    }
    return requests;
  }
  std::vector<Completion> generate(std::span<const Request> requests, const SamplingConfig& sampling,
                                   std::int64_t slots = 128) {
    return Engine(*model, tokenizer, {.slots = slots}).generate(requests, sampling);
  }

  Json golden;
  std::unique_ptr<Model> model;
  NumberTokenizer tokenizer{48, 1};
};

/// Sources of these lengths.
std::vector<Request> requests_reading(const std::vector<std::size_t>& lengths) {
  std::vector<Request> requests;
  for (const std::size_t length : lengths) {
    Request& request = requests.emplace_back();
    request.key = 3;
    request.prompt_id = requests.size();
    for (std::size_t t = 0; t < length; ++t) {
      request.source.push_back(static_cast<std::int32_t>(2 + (requests.size() * 11 + t * t + t) % 46));
    }
  }
  return requests;
}

}  // namespace

TEST_CASE("engine: T5 translates greedily as transformers does") {
  for (const char* name : {"t5", "t5_flan"}) {
    CAPTURE(name);
    Translator translator(name);
    const std::vector<Request> requests = translator.requests();
    const std::vector<Completion> completions = translator.generate(requests, {.temperature = 0, .max_tokens = 64});
    Ids expected = ids_of(translator.golden.at("greedy_ids"));
    expected.erase(expected.begin());
    CHECK(completions[0].ids == expected);
    CHECK(completions[0].finish == FinishReason::length);
  }
}

TEST_CASE("engine: a translation depends on its address alone, and samples share what they read") {
  Translator translator("t5_flan");
  const SamplingConfig sampling{.max_tokens = 40};
  std::vector<Request> requests = requests_reading({1, 31, 32, 33, 70, 5, 64});
  const std::vector<Completion> all = translator.generate(requests, sampling);
  for (const std::int64_t slots : {1, 2, 5}) {
    const std::vector<Completion> refilled = translator.generate(requests, sampling, slots);
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(same(refilled[i], all[i]));
  }
  std::vector<Request> group(8, requests[3]);
  for (std::size_t i = 0; i < group.size(); ++i) group[i].sample = static_cast<std::uint32_t>(i);
  Engine engine(*translator.model, translator.tokenizer, {.slots = 3});
  const std::vector<Completion> shared = engine.generate(group, sampling);
  CHECK(engine.prefilled_tokens() == 33 + 1);
  for (std::size_t i = 0; i < group.size(); ++i) {
    CHECK(same(shared[i], translator.generate(std::span(&group[i], 1), sampling)[0]));
  }
  CHECK(same(shared[0], all[3]));
  CHECK(!same(shared[1], all[3]));
}

TEST_CASE("engine: a target may begin with given ids") {
  Translator translator("t5");
  std::vector<Request> requests = translator.requests();
  requests.resize(1);
  const Completion whole = translator.generate(requests, {.temperature = 0, .max_tokens = 40})[0];
  requests[0].context.assign(whole.ids.begin(), whole.ids.begin() + 35);
  const Completion rest = translator.generate(requests, {.temperature = 0, .max_tokens = 5})[0];
  CHECK(rest.ids == Ids(whole.ids.begin() + 35, whole.ids.end()));
}

TEST_CASE("engine: little memory means fewer translations at a time, not others") {
  Translator translator("t5");
  const std::vector<Request> requests = requests_reading({30, 40, 64});
  const SamplingConfig sampling{.max_tokens = 20};
  const std::vector<Completion> all = translator.generate(requests, sampling);
  const PolicyShape& shape = translator.model->policy->shape();
  const std::int64_t page = KvCache::page_bytes(shape.layers, shape.attention);
  // 21 tokens are one page and 64 of a source two: one slot needs one and one for sharing, two for its source, and
  // three for a request that waits.
  Engine frugal(*translator.model, translator.tokenizer, {.kv_memory = Bytes{7 * page}});
  const std::vector<Completion> some = frugal.generate(requests, sampling);
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(same(some[i], all[i]));
  Engine starved(*translator.model, translator.tokenizer, {.kv_memory = Bytes{7 * page - 1}});
  HONE_CHECK_ERROR(config, starved.generate(requests, sampling), "kv_memory", "7 pages");
}

TEST_CASE("engine: a source where none is read, and none where one is, are errors that name the prompt") {
  Translator translator("t5");
  const std::vector<Request> bare{{.context = {4}, .prompt_id = 12}};
  HONE_CHECK_ERROR(data, translator.generate(bare, {}), "prompt 12", "no source");
  TinyModel tiny;
  HONE_CHECK_ERROR(data, generate(tiny, {{.context = {4}, .prompt_id = 13, .source = {4}}}, {}), "prompt 13",
                   "no encoder");
}

TEST_CASE("engine: encoders and models without a language-model head generate nothing") {
  const std::unique_ptr<Model> encoder = open_model(golden_checkpoint("t5_encoder"));
  HONE_CHECK_ERROR(config, Engine(*encoder, NumberTokenizer(48, 1), {}), "an encoder");
  const std::unique_ptr<Model> classifier = open_model(golden_checkpoint("t5_classify"));
  HONE_CHECK_ERROR(config, Engine(*classifier, NumberTokenizer(48, 1), {}), "no language-model head");
}
