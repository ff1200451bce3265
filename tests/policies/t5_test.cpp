#include "policies/t5.h"

#include <ATen/ops/cross_entropy_loss.h>

#include <algorithm>

#include "io/file.h"
#include "io/safetensors.h"
#include "policies/architectures.h"
#include "stages/packed_forward.h"
#include "stages/to_batch.h"
#include "support/error_of.h"
#include "support/scratch.h"
#include "text/byte_tokenizer.h"

using namespace hone;
using namespace hone::test;

namespace {

Json golden_of(const std::string& model) { return committed_golden("architectures/t5.json").at("models").at(model); }

std::unique_ptr<Model> open(const Json& golden, kernels::Compute compute = kernels::Compute::float32) {
  return open_model(golden_checkpoint(golden.at("checkpoint").as_string()), compute);
}

/// Sources and targets of golden sequences, packed. Row i of a sequence is that of decoder_ids[i].
Batch translation(const std::vector<Json>& sequences) {
  std::vector<TokenExample> examples;
  std::vector<std::uint64_t> rows;
  for (const Json& sequence : sequences) {
    rows.push_back(examples.size());
    TokenExample& example = examples.emplace_back();
    example.source_ids = ids_of(sequence.at("ids"));
    example.ids = ids_of(sequence.at("labels"));
    example.ids.insert(example.ids.begin(), 0);
    example.context_tokens = 1;
  }
  return to_batch(pack(examples, rows));
}

/// As T5ForSequenceClassification reads texts: the decoder sees them shifted by one.
Batch documents(const std::vector<Json>& sequences) {
  std::vector<TokenExample> examples;
  std::vector<std::uint64_t> rows;
  for (const Json& sequence : sequences) {
    rows.push_back(examples.size());
    TokenExample& example = examples.emplace_back();
    example.source_ids = ids_of(sequence.at("ids"));
    example.ids = example.source_ids;
    example.ids.pop_back();
    example.ids.insert(example.ids.begin(), 0);
  }
  return to_batch(pack(examples, rows));
}

at::Tensor encoded(Model& model, const Ids& source) {
  const kernels::AttentionPlan plan = plan_of({static_cast<std::int32_t>(source.size())});
  return model.policy->encode(int_tensor(source), {.plan = &plan});
}

/// One source and one growing target, both in pages.
class CachedTranslation {
 public:
  CachedTranslation(Model& model, const Ids& source)
      : model_(model),
        own_(model.policy->shape().layers, pages, model.policy->shape().attention),
        source_(model.policy->shape().layers, pages, model.policy->shape().attention) {
    const at::NoGradGuard no_grad;
    const auto length = static_cast<std::int32_t>(source.size());
    kernels::AttentionPlan plan;
    plan.key_start_S1 = int_tensor(Ids{0, length});
    plan.page_SN = at::arange(pages, at::kInt).unsqueeze(0).contiguous();
    model_.policy->store_source({.encoded_UD = encoded(model, source), .plan = &plan, .cache = &source_});
    cross_plan_.page_SN = plan.page_SN;
    cross_plan_.key_length_S = int_tensor(Ids{length});
  }

  /// Hidden states of the new ids.
  at::Tensor operator()(const Ids& ids) {
    const at::NoGradGuard no_grad;
    const auto count = static_cast<std::int32_t>(ids.size());
    kernels::AttentionPlan plan = plan_of({count});
    plan.position_T += past_;
    plan.past_S = int_tensor(Ids{past_});
    plan.page_SN = cross_plan_.page_SN;
    past_ += count;
    cross_plan_.start_S1 = plan.start_S1;
    const SourceSide source{.encoded_UD = {}, .plan = &cross_plan_, .cache = &source_};
    return model_.policy->hidden(int_tensor(ids), {.plan = &plan, .cache = &own_, .source = &source});
  }

 private:
  static constexpr std::int64_t pages = 4;
  Model& model_;
  KvCache own_, source_;
  kernels::AttentionPlan cross_plan_;
  std::int32_t past_ = 0;
};

at::Tensor hidden_of_target(Model& model, const Ids& source, const Ids& target) {
  const at::NoGradGuard no_grad;
  return batch_hidden(model, to_batch(pack(std::vector<TokenExample>{{.ids = target, .source_ids = source}},
                                           std::vector<std::uint64_t>{0})));
}

std::int32_t best_of(Model& model, const at::Tensor& hidden_TD) {
  const at::Tensor last = hidden_TD.narrow(0, hidden_TD.size(0) - 1, 1).contiguous();
  return static_cast<std::int32_t>(model.policy->lm_head().logits(last).argmax().item<std::int64_t>());
}

}  // namespace

TEST_CASE("policies: T5's encoder states and logits are those of transformers, two ragged translations at once") {
  for (const char* name : {"t5", "t5_flan"}) {
    CAPTURE(name);
    const at::NoGradGuard no_grad;
    const Json golden = golden_of(name);
    const std::unique_ptr<Model> model = open(golden);
    CHECK(model->policy->shape().kind == PolicyKind::encoder_decoder);
    CHECK(model->policy->shape().decoder_start == 0);
    const std::vector<Json> sequences = golden.at("sequences").as_array();
    const Batch batch = translation(sequences);
    const at::Tensor hidden_TD = batch_hidden(*model, batch);
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      const Json& sequence = sequences[s];
      const at::Tensor row_M = rows_of(sequence.at("rows")) + batch.start_S1[static_cast<std::int64_t>(s)].item<int>();
      const at::Tensor logits_MV = model->policy->lm_head().logits(hidden_TD.index_select(0, row_M));
      CHECK(gap(logits_MV, tensor_of(sequence.at("logits"))) <= 1e-4);
      const at::Tensor states = encoded(*model, ids_of(sequence.at("ids")));
      CHECK(gap(states.index_select(0, rows_of(sequence.at("encoder_rows"))),
                tensor_of(sequence.at("encoder_hidden"))) <= 1e-4);
    }
  }
}

TEST_CASE("policies: T5 in bfloat16 follows that of transformers") {
  for (const char* name : {"t5", "t5_flan"}) {
    CAPTURE(name);
    const at::NoGradGuard no_grad;
    const Json golden = golden_of(name);
    const std::unique_ptr<Model> model = open(golden, kernels::Compute::bfloat16);
    const Json& sequence = golden.at("sequences").as_array()[1];
    const at::Tensor hidden_TD = batch_hidden(*model, translation({sequence}));
    const at::Tensor logits = model->policy->lm_head().logits(hidden_TD.index_select(0, rows_of(sequence.at("rows"))));
    CHECK(gap(logits, tensor_of(sequence.at("bfloat16_logits"))) <= 2e-2);
  }
}

TEST_CASE("policies: T5's gradients are those of transformers") {
  for (const char* name : {"t5", "t5_flan"}) {
    CAPTURE(name);
    const Json golden = golden_of(name);
    const std::unique_ptr<Model> model = open(golden);
    for (const Json& sequence : golden.at("sequences").as_array()) {
      model->store.zero_grads();
      const Batch batch = translation({sequence});
      const at::Tensor row_M = at::nonzero(batch.mask_T).squeeze(1);
      const at::Tensor logprob_M = model->policy->lm_head()
                                       .token_statistics(take_rows(batch_hidden(*model, batch), row_M),
                                                         batch.target_T.index_select(0, row_M), 1, false)
                                       .logprob_M;
      const at::Tensor loss = -logprob_M.mean();
      CHECK(loss.item<double>() == doctest::Approx(sequence.at("loss").as_number()).epsilon(1e-5));
      loss.backward();
      // The golden gradients are those of float64. In float32 the random t5_flan, whose scores have no scale, is off by
      // 1.5e-4 here and by 3.5e-4 in transformers.
      check_gradients(*model, sequence.at("gradients"), name == std::string_view("t5_flan") ? 2e-4 : 1e-4);
    }
  }
}

TEST_CASE("policies: T5 continues greedily as transformers does, with the same bits from pages") {
  for (const char* name : {"t5", "t5_flan"}) {
    CAPTURE(name);
    const Json golden = golden_of(name);
    const std::unique_ptr<Model> model = open(golden);
    const Ids source = ids_of(golden.at("sequences").as_array()[0].at("ids"));
    const Ids expected = ids_of(golden.at("greedy_ids"));
    REQUIRE(expected.size() == 65);
    Ids plain{expected[0]};
    Ids cached{expected[0]};
    CachedTranslation translation(*model, source);
    while (plain.size() < expected.size()) {
      const at::Tensor whole = hidden_of_target(*model, source, plain);
      const at::Tensor step = translation({cached.back()});
      CHECK(gap(step, whole.narrow(0, whole.size(0) - 1, 1)) == 0);
      plain.push_back(best_of(*model, whole));
      cached.push_back(best_of(*model, step));
    }
    CHECK(plain == expected);
    CHECK(cached == expected);
  }
}

TEST_CASE("policies: a T5 sequence does not see its neighbours, and a prefill equals single steps") {
  const at::NoGradGuard no_grad;
  const Json golden = golden_of("t5");
  const std::unique_ptr<Model> model = open(golden);
  const std::vector<Json> sequences = golden.at("sequences").as_array();
  const at::Tensor together = batch_hidden(*model, translation(sequences));
  const at::Tensor alone = batch_hidden(*model, translation({sequences[1]}));
  CHECK(gap(together.narrow(0, together.size(0) - alone.size(0), alone.size(0)), alone) == 0);
  Ids target = ids_of(sequences[1].at("labels"));
  target.insert(target.begin(), 0);
  CachedTranslation cached(*model, ids_of(sequences[1].at("ids")));
  CHECK(gap(cached(target), alone) == 0);
}

TEST_CASE("policies: sequences beyond the context keep their relative positions") {
  const at::NoGradGuard no_grad;
  const std::unique_ptr<Model> model = open(golden_of("t5_encoder"));
  Ids ids;
  for (std::int32_t i = 0; i < 700; ++i) ids.push_back(3 + i * i % 40);
  const kernels::AttentionPlan plan = plan_of({700});
  CHECK(model->policy->hidden(int_tensor(ids), {.plan = &plan}).isfinite().all().item<bool>());
}

TEST_CASE("policies: T5's encoder alone gives the states of transformers") {
  const at::NoGradGuard no_grad;
  const Json golden = golden_of("t5_encoder");
  const std::unique_ptr<Model> model = open(golden);
  CHECK(model->policy->shape().kind == PolicyKind::encoder);
  CHECK(!model->policy->lm_head().defined());
  for (const Json& sequence : golden.at("sequences").as_array()) {
    const PackedInput input = packed_input({sequence});
    const at::Tensor states = model->policy->hidden(input.id_T, {.plan = &input.plan});
    CHECK(gap(states.index_select(0, rows_of(sequence.at("rows"))), tensor_of(sequence.at("hidden"))) <= 1e-4);
  }
}

TEST_CASE("policies: T5's heads give the logits, losses and gradients of transformers") {
  SUBCASE("one for sequences, on the decoder's state at the end") {
    const Json golden = golden_of("t5_classify");
    const std::unique_ptr<Model> model = open(golden);
    const std::vector<Json> sequences = golden.at("sequences").as_array();
    const Batch batch = documents(sequences);
    const at::Tensor logits_SC = (*model->score)(model->score->pick(batch_hidden(*model, batch), batch.start_S1));
    std::vector<std::int64_t> labels;
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      CHECK(gap(logits_SC[static_cast<std::int64_t>(s)].unsqueeze(0), tensor_of(sequences[s].at("logits"))) <= 1e-4);
      labels.push_back(sequences[s].at("labels").as_integer());
    }
    const at::Tensor loss = at::cross_entropy_loss(logits_SC, at::tensor(labels, at::kLong));
    CHECK(loss.item<double>() == doctest::Approx(golden.at("loss").as_number()).epsilon(1e-5));
    loss.backward();
    check_gradients(*model, golden.at("gradients"));
  }
  SUBCASE("one for tokens, on the encoder alone") {
    const Json golden = golden_of("t5_tokens");
    const std::unique_ptr<Model> model = open(golden);
    const std::vector<Json> sequences = golden.at("sequences").as_array();
    const PackedInput input = packed_input(sequences);
    const at::Tensor logits_TC = (*model->score)(model->policy->hidden(input.id_T, {.plan = &input.plan}));
    std::vector<std::int64_t> labels;
    std::vector<at::Tensor> expected;
    for (const Json& sequence : sequences) {
      for (const Json& label : sequence.at("labels").as_array()) labels.push_back(label.as_integer());
      expected.push_back(tensor_of(sequence.at("logits")));
    }
    CHECK(gap(logits_TC, at::cat(expected)) <= 1e-4);
    const at::Tensor loss = at::cross_entropy_loss(logits_TC, at::tensor(labels, at::kLong));
    CHECK(loss.item<double>() == doctest::Approx(golden.at("loss").as_number()).epsilon(1e-5));
    loss.backward();
    check_gradients(*model, golden.at("gradients"));
  }
}

TEST_CASE("policies: T5 refuses heads that its files have no place for") {
  const auto with_head = [](const char* directory, HeadKind kind) {
    const std::unique_ptr<PolicySpec> spec = read_policy_spec(golden_checkpoint(directory), policy_table());
    Model(*spec, {.lm = false, .scores = 2, .score_kind = kind}, kernels::Compute::float32, true);
  };
  HONE_CHECK_ERROR(config, with_head("t5", HeadKind::tokens), "no head of this kind", "this is the whole model");
  HONE_CHECK_ERROR(config, with_head("t5", HeadKind::spans), "no head of this kind");
  HONE_CHECK_ERROR(config, with_head("t5_encoder", HeadKind::classes), "this is the encoder alone");
  with_head("t5", HeadKind::reward);
}

TEST_CASE("policies: edits of T5's config.json are honoured or refused by name") {
  const Json edits = committed_golden("architectures/refusals.json");
  for (const Json& edit : edits.at("cases").as_array()) {
    if (edit.at("family").as_string() != "t5") continue;
    const std::string text = edit.dump();
    CAPTURE(text);
    const Scratch scratch;
    const std::filesystem::path source = golden_checkpoint(edit.at("checkpoint").as_string());
    const Json original = Json::parse(read_file(source / "config.json"), "config.json");
    Json config = Json::object();
    for (const auto& [key, value] : original.as_object()) {
      const auto& removed = edit.at("remove").as_array();
      if (std::find(removed.begin(), removed.end(), Json(key)) == removed.end()) config.set(key, value);
    }
    for (const auto& [key, value] : edit.at("set").as_object()) config.set(key, value);
    scratch.file("config.json", config.dump());
    std::filesystem::create_symlink(std::filesystem::absolute(source / "model.safetensors"),
                                    scratch.path() / "model.safetensors");
    const Json sequence = golden_of(edit.at("checkpoint").as_string()).at("sequences").as_array()[0];
    at::Tensor row;
    const auto caught = error_of([&] {
      const std::unique_ptr<Model> model = open_model(scratch.path());
      const at::Tensor hidden_TD =
          hidden_of_target(*model, ids_of(sequence.at("ids")), ids_of(sequence.at("decoder_ids")));
      row = model->policy->lm_head().logits(hidden_TD.narrow(0, 23, 1).contiguous()).squeeze(0);
    });
    const std::string& expected = edit.at("expect").as_string();
    if (caught) {
      INFO(caught->message);
      CHECK(expected == "refuse");
      CHECK(caught->kind == ErrorKind::data);
      CHECK((caught->has(edit.at("key").as_string()) || caught->has("tensor '")));
    } else if (expected == "same") {
      CHECK(gap(row, tensor_of(sequence.at("logits"))[3]) <= 1e-4);
    } else {
      REQUIRE(edit.find("logits") != nullptr);
      CHECK(gap(row.narrow(0, 0, 16), tensor_of(edit.at("logits"))) <= 1e-4);
    }
  }
}

TEST_CASE("policies: T5 refuses settings that make no sense") {
  const auto read = [](const char* key, const Json& value) {
    Json config = Json::parse(read_file(golden_checkpoint("t5") / "config.json"), "config.json");
    config.set(key, value);
    T5Spec().from_hf(config);
  };
  HONE_CHECK_ERROR(data, read("relative_attention_num_buckets", 2), "relative_attention_num_buckets", "2");
  HONE_CHECK_ERROR(data, read("relative_attention_max_distance", 4), "relative_attention_max_distance", "4", "8");
  HONE_CHECK_ERROR(data, read("decoder_start_token_id", 48), "decoder_start_token_id", "48");
  HONE_CHECK_ERROR(data, read("decoder_start_token_id", -1), "decoder_start_token_id", "-1");
  HONE_CHECK_ERROR(data, read("feed_forward_proj", "gated-mystery"), "feed_forward_proj", "mystery");
  HONE_CHECK_ERROR(data, read("is_decoder", true), "is_decoder");
  HONE_CHECK_ERROR(data, read("expert_capacity", 64), "expert_capacity");
  HONE_CHECK_ERROR(data, read("num_heads", 0), "num_heads");
}

TEST_CASE("policies: a T5 of one's own says in config.json what it is, and comes back with the same weights") {
  for (const bool tied : {true, false}) {
    const Scratch scratch;
    const std::unique_ptr<Tokenizer> tokenizer = byte_tokenizer();
    T5Spec spec;
    spec.vocabulary_size = tokenizer->vocab_size();
    spec.hidden = 12;
    spec.heads = 3;
    spec.layers = 2;
    spec.decoder_layers = 1;
    spec.gated = !tied;
    spec.tied_embeddings = tied;
    spec.decoder_start = 9;
    Model model(spec, {}, kernels::Compute::float32, true);
    model.store.initialize(3);
    model.store.refresh();
    save_model_directory(model, *tokenizer, scratch.path() / "model");
    const std::unique_ptr<Model> again = open_model(scratch.path() / "model");
    CHECK(again->policy->shape().decoder_start == 9);
    CHECK(at::equal(again->store.weights(), model.store.weights()));
    const Ids source{4, 5, 6};
    CHECK(gap(hidden_of_target(*again, source, {9, 4}), hidden_of_target(model, source, {9, 4})) == 0);
    const Json config = Json::parse(read_file(scratch.path() / "model" / "config.json"), "config.json");
    CHECK(config.at("architectures").as_array()[0] == Json("T5ForConditionalGeneration"));
    CHECK(config.at("tie_word_embeddings").as_bool() == tied);
    CHECK(config.at("feed_forward_proj") == Json(tied ? "relu" : "gated-gelu"));
  }
}

TEST_CASE("policies: T5 directories are written with the tensors that they were read with") {
  for (const char* name : {"t5", "t5_flan", "t5_encoder", "t5_classify", "t5_tokens"}) {
    CAPTURE(name);
    const Scratch scratch;
    const std::unique_ptr<Model> model = open_model(golden_checkpoint(name));
    save_model_directory(*model, *byte_tokenizer(), scratch.path() / "model");
    const Safetensors before = Safetensors::open(golden_checkpoint(name));
    const Safetensors after = Safetensors::open(scratch.path() / "model");
    CHECK(before.tensors().size() == after.tensors().size());
    for (const TensorView& tensor : before.tensors()) {
      const TensorView* found = after.find(tensor.name);
      REQUIRE_MESSAGE(found != nullptr, tensor.name);
      CHECK(std::ranges::equal(found->bytes, tensor.bytes));
    }
    const Json config = Json::parse(read_file(scratch.path() / "model" / "config.json"), "config.json");
    const Json original = Json::parse(read_file(golden_checkpoint(name) / "config.json"), "config.json");
    CHECK(config.at("architectures") == original.at("architectures"));
  }
}

TEST_CASE("policies: a T5 loads from the directory of a model with other heads") {
  const std::unique_ptr<PolicySpec> spec = read_policy_spec(golden_checkpoint("t5_flan"), policy_table());
  Model classifier(*spec, {.lm = false, .scores = 3, .score_kind = HeadKind::classes}, kernels::Compute::float32, true);
  load_weights(classifier, golden_checkpoint("t5_flan"));
  const std::unique_ptr<Model> whole = open_model(golden_checkpoint("t5_flan"));
  const Parameter table = classifier.store.find("decoder.relative_bias");
  CHECK(at::equal(table.weight(), whole->store.find("decoder.relative_bias").weight()));
  CHECK(table.segment().parts[0].hf_name ==
        "transformer.decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
}
