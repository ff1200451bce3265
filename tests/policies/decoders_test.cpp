#include "io/safetensors.h"
#include "policies/architectures.h"
#include "support/error_of.h"
#include "support/scratch.h"
#include "text/byte_tokenizer.h"

using namespace hone;
using namespace hone::test;

namespace {

const std::vector<std::string> decoders = {"llama_rope", "phi3", "gemma", "gpt2", "gpt_neox", "moe"};

}  // namespace

TEST_CASE("policies: decoders give the logits of transformers") {
  double worst = 0;
  for_each_model(decoders, [&](const std::string&, const Json& golden) {
    const std::unique_ptr<Model> model = open_model(golden_checkpoint(golden.at("checkpoint").as_string()));
    const at::Tensor logits = logits_of(*model, ids_of(golden.at("ids"))).index_select(0, rows_of(golden.at("rows")));
    const double difference = gap(logits, tensor_of(golden.at("logits")));
    CHECK(difference <= 1e-4);
    worst = std::max(worst, difference);
  });
  MESSAGE("largest difference of a logit: " << worst);
}

TEST_CASE("policies: gradients of the decoders' next-token loss are those of transformers") {
  for_each_model(decoders, [](const std::string&, const Json& golden) {
    const std::unique_ptr<Model> model = open_model(golden_checkpoint(golden.at("checkpoint").as_string()));
    const at::Tensor loss = -next_token_statistics(*model, ids_of(golden.at("ids"))).logprob_M.mean();
    CHECK(loss.item<double>() == doctest::Approx(golden.at("loss").as_number()).epsilon(1e-5));
    loss.backward();
    check_gradients(*model, golden.at("gradients"));
  });
}

TEST_CASE("policies: greedy continuations of the decoders are those of transformers, with and without a cache") {
  for_each_model(decoders, [](const std::string&, const Json& golden) {
    if (golden.find("greedy_ids") == nullptr) return;
    const std::unique_ptr<Model> model = open_model(golden_checkpoint(golden.at("checkpoint").as_string()));
    const Ids all = ids_of(golden.at("greedy_ids"));
    const PolicyShape& shape = model->policy->shape();
    if (static_cast<std::int64_t>(all.size()) > shape.reach(golden.at("prompt").as_integer())) return;
    const Ids prompt(all.begin(), all.begin() + golden.at("prompt").as_integer());
    Ids cached = prompt;
    CachedPass pass(*model);
    for (at::Tensor logits = pass(prompt); cached.size() < all.size(); logits = pass({cached.back()})) {
      cached.push_back(static_cast<std::int32_t>(logits.argmax().item<std::int64_t>()));
      const at::Tensor whole = logits_of(*model, Ids(cached.begin(), cached.end() - 1));
      REQUIRE(same_bits(whole.narrow(0, whole.size(0) - 1, 1), logits));
    }
    CHECK(cached == all);
  });
}

TEST_CASE("policies: the load-balancing loss of mixtures of experts and its gradients are those of transformers") {
  for_each_model({"moe"}, [](const std::string&, const Json& golden) {
    const std::unique_ptr<Model> model = open_model(golden_checkpoint(golden.at("checkpoint").as_string()));
    const Ids ids = ids_of(golden.at("ids"));
    const kernels::AttentionPlan plan = plan_of({static_cast<std::int32_t>(ids.size())});
    std::vector<at::Tensor> router_logits;
    const at::Tensor hidden_TD =
        model->policy->hidden(int_tensor(ids), {.plan = &plan, .router_logits = &router_logits});
    const Json::Array& layers = golden.at("router_logits").as_array();
    REQUIRE(router_logits.size() == layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const at::Tensor rows = router_logits[i].index_select(0, rows_of(golden.at("router_rows")));
      CHECK(gap(rows, tensor_of(layers[i])) <= 1e-4);
    }
    const Json config = model->policy->hf_config();
    const std::int64_t top_k = config.at("num_experts_per_tok").as_integer();
    const at::Tensor balance = load_balancing_loss(router_logits, top_k);
    CHECK(balance.item<double>() == doctest::Approx(golden.at("auxiliary_loss").as_number()).epsilon(1e-5));
    const std::int64_t last = hidden_TD.size(0) - 1;
    const at::Tensor logprob_M =
        model->policy->lm_head()
            .token_statistics(hidden_TD.narrow(0, 0, last).contiguous(), int_tensor(ids).slice(0, 1).to(at::kLong), 1, false)
            .logprob_M;
    const at::Tensor total = config.at("router_aux_loss_coef").as_number() * balance - logprob_M.mean();
    CHECK(total.item<double>() == doctest::Approx(golden.at("total_loss").as_number()).epsilon(1e-5));
    total.backward();
    check_gradients(*model, golden.at("total_gradients"));
  });
}

TEST_CASE("policies: packed sequences of every decoder give the bits that each gives alone") {
  for_each_model(decoders, [](const std::string&, const Json& golden) {
    const at::NoGradGuard no_grad;
    const std::unique_ptr<Model> model = open_model(golden_checkpoint(golden.at("checkpoint").as_string()));
    const Ids first = ids_of(golden.at("ids"));
    const std::vector<Ids> sequences = {first, Ids(first.rbegin(), first.rbegin() + 7), {first[0]}};
    std::vector<at::Tensor> alone;
    for (const Ids& ids : sequences) alone.push_back(hidden_of(*model, {ids}));
    CHECK(same_bits(hidden_of(*model, sequences), at::cat(alone)));
  });
}

TEST_CASE("policies: dynamic rotary embeddings turn each sequence by the frequencies of its own length") {
  const at::NoGradGuard no_grad;
  const std::unique_ptr<Model> model = open_model(golden_checkpoint("llama_dynamic"));
  CHECK(model->policy->shape().switch_length == 16);
  CHECK(model->policy->shape().context == 128);
  std::vector<Ids> sequences;
  for (const std::size_t length : {17, 16, 40, 3, 40}) {
    Ids& ids = sequences.emplace_back();
    for (std::size_t t = 0; t < length; ++t) ids.push_back(static_cast<std::int32_t>(3 + (7 * t + length) % 45));
  }
  std::vector<at::Tensor> alone;
  for (const Ids& ids : sequences) alone.push_back(hidden_of(*model, {ids}));
  CHECK(same_bits(hidden_of(*model, sequences), at::cat(alone)));
  const at::Tensor longer = hidden_of(*model, {Ids(sequences[2].begin(), sequences[2].end() - 1)});
  CHECK(!same_bits(longer, alone[2].narrow(0, 0, 39)));  // one token fewer: other frequencies from the start
}

TEST_CASE("policies: a sequence whose frequencies its length decides does not grow from pages") {
  const std::unique_ptr<Model> model = open_model(golden_checkpoint("llama_dynamic"));
  Ids prompt(20, 5);
  CachedPass pass(*model);
  CHECK(same_bits(pass(prompt), logits_of(*model, prompt).narrow(0, 19, 1)));
  HONE_CHECK_ERROR(data, pass({7}), "21 tokens", "more than 16", "dynamic");
  CachedPass growing(*model);
  growing(Ids(16, 5));
  HONE_CHECK_ERROR(data, growing({7}), "17 tokens");
}

TEST_CASE("policies: a saved directory of every architecture gives weights and config.json back") {
  const Scratch scratch;
  const std::unique_ptr<Tokenizer> tokenizer = byte_tokenizer();
  for_each_model({"llama_rope", "phi3", "gemma", "gpt2", "gpt_neox", "moe", "bert", "roberta", "distilbert", "modernbert"},
                 [&](const std::string& name, const Json& golden) {
                   const std::filesystem::path from = golden_checkpoint(golden.at("checkpoint").as_string());
                   const std::filesystem::path place = scratch.path() / name;
                   const std::unique_ptr<Model> model = open_model(from);
                   save_model_directory(*model, *tokenizer, place);
                   CHECK(same_bits(open_model(place)->store.weights(), model->store.weights()));
                   const Json before = Json::parse(read_file(from / "config.json"), name);
                   const Json after = Json::parse(read_file(place / "config.json"), name);
                   for (const auto& [key, value] : before.as_object()) {
                     const bool of_tokenizer = key.ends_with("_token_id") || key == "architectures";
                     if (of_tokenizer) continue;
                     CAPTURE(key);
                     CHECK(after.at(key) == value);
                   }
                   const Safetensors was = Safetensors::open(from);
                   const Safetensors is = Safetensors::open(place);
                   for (const TensorView& tensor : was.tensors()) {
                     CAPTURE(tensor.name);
                     const TensorView* found = is.find(tensor.name);
                     if (found == nullptr) continue;  // of a base model without its head's prefix
                     CHECK(std::equal(tensor.bytes.begin(), tensor.bytes.end(), found->bytes.begin(), found->bytes.end()));
                   }
                 });
}
