#include <map>

#include "io/file.h"
#include "policies/architectures.h"
#include "support/error_of.h"
#include "support/scratch.h"

using namespace hone;
using namespace hone::test;
namespace fs = std::filesystem;

namespace {

/// The checkpoint with an edited config.json.
void write_edited(const fs::path& from, const Json& edit, const fs::path& place) {
  fs::create_directories(place);
  fs::copy_file(from / "model.safetensors", place / "model.safetensors", fs::copy_options::overwrite_existing);
  const Json before = Json::parse(read_file(from / "config.json"), from.string());
  Json config = Json::object();
  for (const auto& [key, value] : before.as_object()) {
    const Json::Array& removed = edit.at("remove").as_array();
    if (std::find(removed.begin(), removed.end(), Json(key)) == removed.end()) config.set(key, value);
  }
  for (const auto& [key, value] : edit.at("set").as_object()) config.set(key, value);
  write_file_atomic(place / "config.json", config.dump());
}

/// The first sequence of the golden file that shows this checkpoint.
Json sequence_of(const std::string& family, const std::string& checkpoint) {
  const Json file = committed_golden("architectures/" + family + ".json");
  for (const auto& [name, golden] : file.at("models").as_object()) {
    if (golden.at("checkpoint").as_string() != checkpoint) continue;
    return golden.find("sequences") == nullptr ? golden : golden.at("sequences").as_array()[0];
  }
  FAIL("no golden sequence for ", checkpoint);
  return {};
}

/// The last row of what the checkpoint's class gives.
at::Tensor last_row(Model& model, const Json& sequence) {
  const at::NoGradGuard no_grad;
  const PackedInput input = packed_input({sequence});
  const at::Tensor hidden_TD = model.policy->hidden(input.id_T, {.plan = &input.plan, .type_T = input.type_T});
  const at::Tensor output = model.score ? (*model.score)(model.score->pick(hidden_TD, input.plan.start_S1))
                                        : model.policy->lm_head().logits(hidden_TD);
  return output[-1];
}

/// What a reader did with an edited config.json.
struct Reading {
  std::string error;  ///< "" when it was read
  at::Tensor row;
};

Reading read_edited(const fs::path& place, const Json& sequence) {
  try {
    const std::unique_ptr<Model> model = open_model(place);
    if (static_cast<std::int64_t>(sequence.at("ids").as_array().size()) > model->policy->shape().context) {
      return {"beyond the context", {}};
    }
    return {"", last_row(*model, sequence)};
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    return {error.what(), {}};
  }
}

}  // namespace

TEST_CASE("policies: an edited config.json is computed as transformers does, or refused; never wrong numbers") {
  const Scratch scratch;
  std::size_t refused = 0;
  std::size_t computed = 0;
  const Json cases = committed_golden("architectures/refusals.json").at("cases");
  for (const Json& edit : cases.as_array()) {
    const std::string family = edit.at("family").as_string();
    if (family == "t5") continue;  // t5_test.cpp
    const std::string checkpoint = edit.at("checkpoint").as_string();
    const std::string expected = edit.at("expect").as_string();
    CAPTURE(checkpoint);
    CAPTURE(edit.at("set").dump());
    CAPTURE(edit.at("remove").dump());
    const fs::path place = scratch.path() / "edited";
    write_edited(golden_checkpoint(checkpoint), edit, place);
    const Json sequence = sequence_of(family, checkpoint);
    const Reading reading = read_edited(place, sequence);
    CAPTURE(reading.error);
    ++(reading.error.empty() ? computed : refused);
    const Json* logits = edit.find("logits");
    if (!reading.error.empty()) {
      const bool may_refuse = expected == "refuse" || expected == "either" || reading.error == "beyond the context";
      CHECK(may_refuse);
      continue;
    }
    if (logits != nullptr) {
      const at::Tensor theirs = tensor_of(*logits);
      CHECK(gap(reading.row.slice(0, 0, theirs.size(0)), theirs) <= 1e-4);
    } else if (expected == "same" || expected == "either") {
      const at::Tensor unchanged = last_row(*open_model(golden_checkpoint(checkpoint)), sequence);
      CHECK(gap(reading.row, unchanged) <= 1e-6);
    } else {
      FAIL_CHECK("expected a refusal");
    }
  }
  MESSAGE(refused << " refused, " << computed << " computed");
}
