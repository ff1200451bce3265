#include <algorithm>
#include <cmath>
#include <set>

#include "engine/tiny_model.h"
#include "text/constraint/token_trie.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Logits after each of the completion's tokens but the last, and after the context: what its tokens were drawn from.
at::Tensor logits_before_each(Model& model, const Request& request, const Completion& completion) {
  const at::NoGradGuard no_grad;
  std::vector<std::int32_t> ids = request.context;
  ids.insert(ids.end(), completion.ids.begin(), completion.ids.end() - 1);
  const auto length = static_cast<std::int64_t>(ids.size());
  const kernels::AttentionPlan plan = packed_plan(
      at::tensor({std::int32_t{0}, static_cast<std::int32_t>(length)}, at::kInt), at::arange(length, at::kInt));
  const at::Tensor hidden_TD =
      model.policy->hidden(at::tensor(at::ArrayRef<std::int32_t>(ids), at::kInt), {.plan = &plan});
  const auto written = static_cast<std::int64_t>(completion.ids.size());
  return model.policy->lm_head().logits(hidden_TD.narrow(0, length - written, written).contiguous());
}

/// The definition of the penalties, written out.
at::Tensor penalized(at::Tensor logits_V, const SamplingConfig& sampling, const Request& request,
                     const std::vector<std::int32_t>& before) {
  at::Tensor changed = logits_V.clone();
  std::set<std::int32_t> seen(request.context.begin(), request.context.end());
  seen.insert(before.begin(), before.end());
  for (const auto& [id, bias] : sampling.logit_bias) changed[std::stoi(id)] += bias;
  for (const std::int32_t id : seen) {
    const auto logit = changed[id].item<float>();
    const auto penalty = static_cast<float>(sampling.repetition_penalty);
    const auto count = std::count(before.begin(), before.end(), id);
    changed[id] = (logit < 0 ? logit * penalty : logit / penalty) -
                  static_cast<float>(static_cast<double>(count) * sampling.frequency_penalty) -
                  static_cast<float>(count > 0 ? sampling.presence_penalty : 0.0);
  }
  return changed;
}

std::shared_ptr<const TokenTrie> trie_of(const TinyModel& tiny) { return TokenTrie::of(*tiny.tokenizer); }

const SamplingConfig penalties{.temperature = 0.8,
                               .max_tokens = 24,
                               .repetition_penalty = 1.5,
                               .presence_penalty = 0.5,
                               .frequency_penalty = 0.25,
                               .logit_bias = {{"120", 4.0}, {"101", -3.0}}};

}  // namespace

TEST_CASE("engine: penalties and biases change what is drawn, and the log-probability stays that of the model") {
  TinyModel tiny;
  const std::vector<Request> requests = requests_of({3, 9, 20});
  const std::vector<Completion> completions = generate(tiny, requests, penalties);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Completion& completion = completions[i];
    REQUIRE(completion.sampler_logprob.size() == completion.ids.size());
    const at::Tensor logits_MV = logits_before_each(*tiny.model, requests[i], completion);
    for (std::size_t t = 0; t < completion.ids.size(); ++t) {
      const at::Tensor logits_V = logits_MV[static_cast<std::int64_t>(t)];
      const std::vector<std::int32_t> before(completion.ids.begin(),
                                             completion.ids.begin() + static_cast<std::ptrdiff_t>(t));
      const auto logprob = [&](const at::Tensor& of) {
        return at::log_softmax(of / penalties.temperature, 0)[completion.ids[t]].item<double>();
      };
      CHECK(completion.logprob[t] == doctest::Approx(logprob(logits_V)).epsilon(1e-4));
      CHECK(completion.sampler_logprob[t] ==
            doctest::Approx(logprob(penalized(logits_V, penalties, requests[i], before))).epsilon(1e-4));
    }
  }
}

TEST_CASE("engine: greedy generation takes the best of the changed logits") {
  TinyModel tiny;
  const Request request = requests_of({7})[0];
  const SamplingConfig sampling = penalties.greedy();
  const Completion completion = generate(tiny, {request}, sampling)[0];
  CHECK(completion.sampler_logprob.empty());
  CHECK(completion.ids != generate(tiny, {request}, {.temperature = 0, .max_tokens = 24})[0].ids);
  const at::Tensor logits_MV = logits_before_each(*tiny.model, request, completion);
  for (std::size_t t = 0; t < completion.ids.size(); ++t) {
    const std::vector<std::int32_t> before(completion.ids.begin(),
                                           completion.ids.begin() + static_cast<std::ptrdiff_t>(t));
    const at::Tensor changed = penalized(logits_MV[static_cast<std::int64_t>(t)], sampling, request, before);
    CHECK(completion.ids[t] == changed.argmax().item<std::int64_t>());
  }
}

TEST_CASE("engine: rules that are off change no bit") {
  TinyModel tiny;
  const std::vector<Request> requests = requests_of({3, 40});
  const std::vector<Completion> plain = generate(tiny, requests, {.max_tokens = 20});
  // A bias of nothing goes the long way: the same tokens with the same log-probabilities, from both definitions.
  const std::vector<Completion> steered = generate(tiny, requests, {.max_tokens = 20, .logit_bias = {{"5", 0.0}}});
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CHECK(plain[i].sampler_logprob.empty());
    CHECK(steered[i].ids == plain[i].ids);
    CHECK(steered[i].logprob == plain[i].logprob);
    CHECK(steered[i].sampler_logprob == plain[i].logprob);
  }
}

TEST_CASE("engine: no run of ids comes twice, and none ends before its least number of tokens") {
  TinyModel tiny;
  const std::vector<Request> requests = requests_of({9, 30, 2});
  for (const Completion& completion :
       generate(tiny, requests, {.temperature = 0, .max_tokens = 60, .no_repeat_ngram = 1})) {
    const std::set<std::int32_t> different(completion.ids.begin(), completion.ids.end());
    CHECK(different.size() == completion.ids.size());
  }
  const std::int32_t eos = *tiny.tokenizer->eos_id();
  SamplingConfig ending{.max_tokens = 20, .logit_bias = {{std::to_string(eos), 50.0}}};
  CHECK(generate(tiny, requests, ending)[0].ids == std::vector<std::int32_t>{eos});
  ending.min_tokens = 6;
  for (const Completion& completion : generate(tiny, requests, ending)) {
    CHECK(completion.ids.size() == 7);
    CHECK(completion.ids.back() == eos);
    CHECK(completion.finish == FinishReason::stop);
  }
}

TEST_CASE("engine: steered samples depend on their address alone") {
  TinyModel tiny;
  std::vector<Request> requests = requests_of({5, 31, 32, 33, 40, 2, 64});
  requests[1].constraint = Constraint::regex("[a-f]{3,30}", trie_of(tiny));
  requests[4].constraint = Constraint::regex("(ab|ba)*", trie_of(tiny));
  for (const SamplingConfig& sampling : {penalties, SamplingConfig{.top_k = 20, .max_tokens = 24}}) {
    const std::vector<Completion> all = generate(tiny, requests, sampling);
    const std::vector<Completion> refilled = generate(tiny, requests, sampling, 3);
    for (std::size_t i = 0; i < all.size(); ++i) {
      CHECK(same(refilled[i], all[i]));
      CHECK(same(generate(tiny, {requests[i]}, sampling)[0], all[i]));
    }
  }
}

TEST_CASE("engine: a neighbour's constraint leaves a completion as it was") {
  TinyModel tiny;
  std::vector<Request> requests = requests_of({5, 8});
  const std::vector<Completion> free = generate(tiny, requests, {.max_tokens = 20});
  requests[1].constraint = Constraint::regex("[xyz]+", trie_of(tiny));
  const std::vector<Completion> half = generate(tiny, requests, {.max_tokens = 20});
  CHECK(same(half[0], free[0]));
  CHECK(!same(half[1], free[1]));
  CHECK(half[1].sampler_logprob.size() == half[1].ids.size());
}

TEST_CASE("engine: what a constraint lets through matches it, whatever the model wants") {
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    TinyModel tiny;
    tiny.model->store.initialize(seed);
    tiny.model->store.refresh();
    std::vector<Request> requests = requests_of({4, 4, 4, 4, 4, 4});
    const auto trie = trie_of(tiny);
    const std::vector<std::string> words{"yes", "no", "not now", "Ünïcode"};
    for (std::size_t i = 0; i < requests.size(); ++i) {
      requests[i].sample = static_cast<std::uint32_t>(i);
      requests[i].constraint =
          i % 2 == 0 ? Constraint::choices(words, trie) : Constraint::regex(R"((\d{1,3}-){2}\d{2}[aé]?)", trie);
    }
    for (const double temperature : {1.0, 0.0}) {
      const std::vector<Completion> completions =
          generate(tiny, requests, {.temperature = temperature, .max_tokens = 40, .repetition_penalty = 1.3});
      for (std::size_t i = 0; i < requests.size(); ++i) {
        const std::string& text = completions[i].text;
        CAPTURE(text);
        CHECK(completions[i].finish == FinishReason::stop);
        if (i % 2 == 0) {
          CHECK(std::count(words.begin(), words.end(), text) == 1);
        } else {
          const std::size_t first = text.find('-');
          REQUIRE(first != std::string::npos);
          const std::size_t second = text.find('-', first + 1);
          REQUIRE(second != std::string::npos);
          CHECK((first >= 1 && first <= 3 && second - first >= 2 && second - first <= 4));
          const std::string last = text.substr(second + 1);
          CHECK(last.find_first_not_of("0123456789") >= 2);
          CHECK((last.size() == 2 || last.substr(2) == "a" || last.substr(2) == "é"));
        }
      }
    }
  }
}

TEST_CASE("engine: a constraint that is met ends a completion without an end-of-sequence token") {
  TinyModel tiny;
  std::vector<Request> requests = requests_of({4, 4});
  const std::vector<std::string> one{"word"};
  const std::vector<std::string> nothing{""};
  requests[0].constraint = Constraint::choices(one, trie_of(tiny));
  requests[1].constraint = Constraint::choices(nothing, trie_of(tiny));
  std::size_t finished = 0;
  Engine engine(*tiny.model, *tiny.tokenizer, {.slots = 1});
  const std::vector<Completion> completions =
      engine.generate(requests, {.max_tokens = 10}, nullptr, [&](std::size_t, Completion&) { ++finished; });
  CHECK(completions[0].text == "word");
  CHECK(completions[0].ids.size() == 4);
  CHECK(completions[0].sampler_logprob == std::vector<float>(4, 0.0F));
  CHECK(completions[1].ids.empty());
  CHECK(completions[1].finish == FinishReason::stop);
  CHECK(finished == 2);
  // A budget that is too short cuts the text, and says so.
  const Completion cut = generate(tiny, {requests[0]}, {.max_tokens = 3})[0];
  CHECK(cut.text == "wor");
  CHECK(cut.finish == FinishReason::length);
}

TEST_CASE("engine: every end-of-sequence id ends a completion and is no part of its text") {
  TinyModel tiny;
  const std::vector<Request> requests = requests_of({6});
  const Completion free = generate(tiny, requests, {.temperature = 0, .max_tokens = 12})[0];
  REQUIRE(free.ids.size() >= 4);
  const std::int32_t third = free.ids[2];
  const SamplingConfig sampling{.temperature = 0, .max_tokens = 12, .eos_ids = {third, 3, third}};
  const Completion ended = generate(tiny, requests, sampling)[0];
  const auto first = std::find(free.ids.begin(), free.ids.end(), third);
  CHECK(ended.ids == std::vector<std::int32_t>(free.ids.begin(), first + 1));
  CHECK(ended.finish == FinishReason::stop);
  CHECK(ended.text.find(std::string(tiny.tokenizer->id_to_bytes(third))) == std::string::npos);
  Engine engine(*tiny.model, *tiny.tokenizer, {});
  CHECK(engine.ends(sampling) == std::vector<std::int32_t>{*tiny.tokenizer->eos_id(), third, 3});
}

TEST_CASE("engine: a constraint made with all ends can be left by each of them") {
  TinyModel tiny;
  Engine engine(*tiny.model, *tiny.tokenizer, {});
  std::vector<Request> requests = requests_of({4});
  const SamplingConfig sampling{.max_tokens = 40, .logit_bias = {{"90", 60.0}}, .eos_ids = {'Z'}};
  requests[0].constraint = Constraint::regex("[ab]{2}[abZ]*", TokenTrie::of(*tiny.tokenizer, engine.ends(sampling)));
  const Completion completion = engine.generate(requests, sampling)[0];
  REQUIRE(completion.ids.size() == 3);
  CHECK(completion.ids[2] == 'Z');
  CHECK(completion.text.size() == 2);
  CHECK(completion.text.find_first_not_of("ab") == std::string::npos);
  CHECK(completion.finish == FinishReason::stop);
}

TEST_CASE("engine: ids outside the vocabulary are refused by name") {
  TinyModel tiny;
  HONE_CHECK_ERROR(config, generate(tiny, requests_of({3}), {.eos_ids = {259}}), "eos_ids", "259", "258");
  HONE_CHECK_ERROR(config, generate(tiny, requests_of({3}), {.logit_bias = {{"259", 1}}}), "logit_bias", "'259'");
  for (const char* key : {"the", "-1", "1.5", "", "4 ", "99999999999"}) {
    HONE_CHECK_ERROR(config, generate(tiny, requests_of({3}), {.logit_bias = {{key, 1}}}), "logit_bias", key);
  }
}

TEST_CASE("engine: whatever draws from another distribution is known to, except greedily") {
  CHECK(!SamplingConfig{}.reshapes());
  CHECK(!SamplingConfig{.stop = {"x"}, .eos_ids = {3}}.reshapes());
  for (const SamplingConfig& sampling :
       {SamplingConfig{.top_k = 2}, SamplingConfig{.repetition_penalty = 1.1}, SamplingConfig{.presence_penalty = -1},
        SamplingConfig{.frequency_penalty = 1}, SamplingConfig{.no_repeat_ngram = 3}, SamplingConfig{.min_tokens = 1},
        SamplingConfig{.logit_bias = {{"3", 1}}}}) {
    CHECK(sampling.reshapes());
    CHECK(!sampling.greedy().reshapes());
  }
}
