#include <algorithm>
#include <cmath>

#include "engine/number_tokenizer.h"
#include "engine/tiny_model.h"
#include "policies/architectures.h"
#include "text/constraint/token_trie.h"

using namespace hone;
using namespace hone::test;

namespace {

BeamSettings settings_of(const Json& setting) {
  BeamSettings settings;
  settings.num_beams = setting.at("num_beams").as_integer();
  settings.num_return_sequences = settings.num_beams;
  settings.length_penalty = setting.at("length_penalty").as_number();
  const Json& stopping = setting.at("early_stopping");
  settings.early_stopping = stopping == Json("never") ? EarlyStopping::never
                            : stopping == Json(true)  ? EarlyStopping::yes
                                                      : EarlyStopping::no;
  return settings;
}

/// The golden texts are what the engine finds, behind `given` ids of theirs.
void check_texts(const std::vector<BeamText>& found, const Json& setting, std::size_t given, std::int32_t eos) {
  const std::vector<Json> sequences = setting.at("sequences").as_array();
  REQUIRE(found.size() == sequences.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    Ids expected = ids_of(sequences[i]);
    expected.erase(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(given));
    CHECK(found[i].completion.ids == expected);
    CHECK(found[i].score == doctest::Approx(setting.at("scores").as_array()[i].as_number()).epsilon(1e-4));
    CHECK((found[i].completion.finish == FinishReason::stop) == (expected.back() == eos));
  }
}

}  // namespace

TEST_CASE("engine: beam search finds the texts and scores of transformers, for GPT-2 and T5") {
  struct Case {
    const char* family;
    const char* model;
    std::int32_t eos;
  };
  for (const Case& one : {Case{"gpt2", "gpt2", 2}, Case{"t5", "t5", 1}, Case{"t5", "t5_flan", 1}}) {
    CAPTURE(one.model);
    const Json golden = committed_golden(fmt::format("architectures/{}.json", one.family)).at("models").at(one.model);
    const std::unique_ptr<Model> model = open_model(golden_checkpoint(golden.at("checkpoint").as_string()));
    const NumberTokenizer tokenizer(static_cast<std::int32_t>(model->policy->shape().vocabulary), one.eos);
    Engine engine(*model, tokenizer, {});
    const Ids ids = ids_of(golden.at("beams").at("ids"));
    const bool reads = model->policy->shape().kind == PolicyKind::encoder_decoder;
    Request request;
    (reads ? request.source : request.context) = ids;
    for (const Json& setting : golden.at("beams").at("settings").as_array()) {
      const SamplingConfig sampling{.max_tokens = setting.at("max_new_tokens").as_integer()};
      const auto found = engine.beam_search(std::span(&request, 1), settings_of(setting), sampling);
      REQUIRE(found.size() == 1);
      check_texts(found[0], setting, reads ? 1 : ids.size(), one.eos);
    }
  }
}

TEST_CASE("engine: one beam is greedy generation, over the borders of pages") {
  TinyModel tiny;
  Engine engine(*tiny.model, *tiny.tokenizer, {});
  const std::vector<Request> requests = requests_of({5, 31, 32, 33, 40});
  const SamplingConfig sampling{.temperature = 0, .max_tokens = 50};
  const std::vector<Completion> greedy = engine.generate(requests, sampling);
  const auto beams = engine.beam_search(requests, {.num_beams = 1}, sampling);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    REQUIRE(beams[i].size() == 1);
    CHECK(beams[i][0].completion.ids == greedy[i].ids);
    CHECK(beams[i][0].completion.text == greedy[i].text);
    CHECK(beams[i][0].completion.finish == greedy[i].finish);
    double sum = 0;
    for (const float logprob : greedy[i].logprob) sum += static_cast<double>(logprob);
    CHECK(beams[i][0].score == doctest::Approx(sum / static_cast<double>(greedy[i].ids.size())).epsilon(1e-4));
  }
}

TEST_CASE("engine: searches do not see each other, and a score is that of a forward pass over its text") {
  TinyModel tiny;
  const std::vector<Request> requests = requests_of({5, 31, 32, 40, 63});
  const SamplingConfig sampling{.max_tokens = 30};
  const BeamSettings settings{.num_beams = 4, .num_return_sequences = 4, .length_penalty = 0};
  Engine together(*tiny.model, *tiny.tokenizer, {});
  const auto found = together.beam_search(requests, settings, sampling);
  Engine apart(*tiny.model, *tiny.tokenizer, {.slots = 1});
  const auto again = apart.beam_search(requests, settings, sampling);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    REQUIRE(found[i].size() == 4);
    for (std::size_t b = 0; b < 4; ++b) {
      const Completion& completion = found[i][b].completion;
      CHECK(completion.ids == again[i][b].completion.ids);
      CHECK(found[i][b].score == again[i][b].score);
      Ids whole = requests[i].context;
      whole.insert(whole.end(), completion.ids.begin(), completion.ids.end());
      const at::NoGradGuard no_grad;
      const at::Tensor logprob_M = next_token_statistics(*tiny.model, whole).logprob_M;
      const auto written = static_cast<std::int64_t>(completion.ids.size());
      const double sum = logprob_M.narrow(0, logprob_M.size(0) - written, written).sum().item<double>();
      CHECK(found[i][b].score == doctest::Approx(sum).epsilon(1e-4));
      if (b > 0) CHECK(found[i][b].score <= found[i][b - 1].score);
    }
  }
}

TEST_CASE("engine: beams obey rules and constraints") {
  TinyModel tiny;
  Engine engine(*tiny.model, *tiny.tokenizer, {});
  std::vector<Request> requests = requests_of({6, 6});
  const BeamSettings settings{.num_beams = 3, .num_return_sequences = 3};
  for (const auto& texts : engine.beam_search(requests, settings, {.max_tokens = 30, .no_repeat_ngram = 1})) {
    for (const BeamText& text : texts) {
      Ids ids = text.completion.ids;
      std::sort(ids.begin(), ids.end());
      CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
    }
  }
  const std::vector<std::string> words{"one", "two", "three", "four"};
  requests[0].constraint = Constraint::choices(words, TokenTrie::of(*tiny.tokenizer));
  const auto found = engine.beam_search(requests, settings, {.max_tokens = 12});
  REQUIRE(found[0].size() == 3);
  for (const BeamText& text : found[0]) {
    CHECK(std::count(words.begin(), words.end(), text.completion.text) == 1);
    CHECK(text.completion.finish == FinishReason::stop);
  }
  CHECK(found[0][0].completion.text != found[0][1].completion.text);
}

TEST_CASE("engine: beam search refuses what it cannot honour") {
  TinyModel tiny;
  Engine engine(*tiny.model, *tiny.tokenizer, {});
  const std::vector<Request> requests = requests_of({6});
  HONE_CHECK_ERROR(config, engine.beam_search(requests, {}, {.stop = {"x"}}), "stop texts");
  HONE_CHECK_ERROR(config, engine.beam_search(requests, {.num_beams = 2, .num_return_sequences = 3}, {}),
                   "num_return_sequences");
  const std::int64_t page = KvCache::page_bytes(2, tiny.model->policy->shape().attention);
  Engine starved(*tiny.model, *tiny.tokenizer, {.kv_memory = Bytes{8 * page}});
  HONE_CHECK_ERROR(config, starved.beam_search(requests, {.num_beams = 4}, {.max_tokens = 20}), "4 beams", "9 pages");
  CHECK(engine.beam_search({}, {}, {}).empty());
}
