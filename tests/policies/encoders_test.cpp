#include <ATen/ops/cross_entropy_loss.h>

#include "policies/architectures.h"

using namespace hone;
using namespace hone::test;

namespace {

const std::vector<std::string> encoders = {"bert", "roberta", "distilbert", "modernbert"};

/// Whatever a golden sequence shows, of all sequences packed: hidden states, logits of the LM head or of the task's head.
at::Tensor output_of(Model& model, const PackedInput& input, const std::string& head) {
  const at::Tensor hidden_TD = model.policy->hidden(input.id_T, {.plan = &input.plan, .type_T = input.type_T});
  if (head == "base" || head == "masked_lm") return hidden_TD;
  return (*model.score)(model.score->pick(hidden_TD, input.plan.start_S1));
}

std::vector<Json> sequences_of(const Json& golden) { return golden.at("sequences").as_array(); }

/// The rows of one sequence that the golden file shows, as it shows them.
void check_sequence(Model& model, const std::string& head, const at::Tensor& rows, const Json& sequence) {
  const auto picked = [&] { return rows.index_select(0, rows_of(sequence.at("rows"))); };
  if (head == "base") {
    CHECK(gap(picked(), tensor_of(sequence.at("hidden"))) <= 1e-4);
  } else if (head == "masked_lm") {
    CHECK(gap(model.policy->lm_head().logits(picked()), tensor_of(sequence.at("logits"))) <= 1e-4);
  } else {
    const at::Tensor expected = tensor_of(sequence.at("logits"));
    CHECK(gap(rows.view(expected.sizes()), expected) <= 1e-4);
  }
}

}  // namespace

TEST_CASE("policies: encoders and their heads give the numbers of transformers, two ragged sequences at once") {
  for_each_model(encoders, [](const std::string&, const Json& golden) {
    const at::NoGradGuard no_grad;
    const std::string& head = golden.at("head").as_string();
    const std::unique_ptr<Model> model = open_model(golden_checkpoint(golden.at("checkpoint").as_string()));
    const std::vector<Json> sequences = sequences_of(golden);
    const PackedInput input = packed_input(sequences);
    const at::Tensor output = output_of(*model, input, head);
    const auto* start = input.plan.start_S1.const_data_ptr<std::int32_t>();
    const bool by_row = output.size(0) == input.id_T.size(0);
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      CAPTURE(s);
      const at::Tensor rows = by_row ? output.slice(0, start[s], start[s + 1]) : output.narrow(0, static_cast<std::int64_t>(s), 1);
      check_sequence(*model, head, rows.contiguous(), sequences[s]);
    }
  });
}

TEST_CASE("policies: gradients of masked language modelling are those of transformers") {
  for_each_model(encoders, [](const std::string&, const Json& golden) {
    if (golden.at("head").as_string() != "masked_lm" || golden.find("gradients") == nullptr) return;
    const std::unique_ptr<Model> model = open_model(golden_checkpoint(golden.at("checkpoint").as_string()));
    const std::vector<Json> sequences = sequences_of(golden);
    const PackedInput input = packed_input(sequences);
    std::vector<std::int64_t> rows, targets;
    std::int64_t row = 0;
    for (const Json& sequence : sequences) {
      for (const Json& label : sequence.at("labels").as_array()) {
        if (label.as_integer() >= 0) {
          rows.push_back(row);
          targets.push_back(label.as_integer());
        }
        ++row;
      }
    }
    const at::Tensor hidden_MD = take_rows(output_of(*model, input, "masked_lm"), at::tensor(rows, at::kLong));
    const at::Tensor loss =
        -model->policy->lm_head().token_statistics(hidden_MD, at::tensor(targets, at::kLong), 1, false).logprob_M.mean();
    CHECK(loss.item<double>() == doctest::Approx(golden.at("loss").as_number()).epsilon(1e-5));
    loss.backward();
    check_gradients(*model, golden.at("gradients"));
  });
}

TEST_CASE("policies: gradients of sequence classification are those of transformers") {
  for_each_model(encoders, [](const std::string&, const Json& golden) {
    if (golden.at("head").as_string() != "classify" || golden.find("gradients") == nullptr) return;
    const std::unique_ptr<Model> model = open_model(golden_checkpoint(golden.at("checkpoint").as_string()));
    std::vector<std::int64_t> labels;
    for (const Json& sequence : sequences_of(golden)) labels.push_back(sequence.at("labels").as_integer());
    const PackedInput input = packed_input(sequences_of(golden));
    const at::Tensor loss = at::cross_entropy_loss(output_of(*model, input, "classify"), at::tensor(labels, at::kLong));
    CHECK(loss.item<double>() == doctest::Approx(golden.at("loss").as_number()).epsilon(1e-5));
    loss.backward();
    check_gradients(*model, golden.at("gradients"));
  });
}
