#include <algorithm>

#include "io/safetensors.h"
#include "policies/architectures.h"
#include "stages/packed_forward.h"
#include "stages/to_batch.h"
#include "support/error_of.h"
#include "support/scratch.h"

using namespace hone;
using namespace hone::test;

namespace {

namespace fs = std::filesystem;

/// The first sequence of a model's golden file.
Json first_sequence(const Json& published) {
  const Json file = committed_golden("architectures/" + published.at("family").as_string() + ".json");
  const Json& golden = file.at("models").at(published.at("checkpoint").as_string());
  const Json* sequences = golden.find("sequences");
  return sequences == nullptr ? golden : sequences->as_array()[0];
}

/// The hidden state of the last token of a target that answers a source.
at::Tensor translated(Model& model, const Json& sequence) {
  const std::vector<TokenExample> examples = {
      {.ids = ids_of(sequence.at("decoder_ids")), .source_ids = ids_of(sequence.at("ids"))}};
  return batch_hidden(model, to_batch(pack(examples, std::vector<std::uint64_t>{0})));
}

/// What the model says about the last token of the sequence, or about the whole of it.
at::Tensor last_row(Model& model, const Json& sequence, const std::string& hf_class) {
  const at::NoGradGuard no_grad;
  const PackedInput input = packed_input({sequence});
  const at::Tensor hidden_TD = hf_class.ends_with("ForConditionalGeneration")
                                   ? translated(model, sequence)
                                   : model.policy->hidden(input.id_T, {.plan = &input.plan, .type_T = input.type_T});
  const at::Tensor last_1D = hidden_TD.narrow(0, hidden_TD.size(0) - 1, 1).contiguous();
  if (model.score) return (*model.score)(model.score->pick(hidden_TD, input.plan.start_S1)).flatten();
  const bool base = hf_class.find("For") == std::string::npos && hf_class.find("LMHead") == std::string::npos;
  return (base ? last_1D : model.policy->lm_head().logits(last_1D)).flatten();
}

/// config.json of the checkpoint with the case's keys.
std::string config_text(const Json& published) {
  const fs::path file = golden_checkpoint(published.at("checkpoint").as_string()) / "config.json";
  Json config = Json::parse(read_file(file), file.string());
  Json::Object& members = config.as_object();
  for (const Json& key : published.at("remove").as_array()) {
    std::erase_if(members, [&](const Json::Member& member) { return member.first == key.as_string(); });
  }
  for (const auto& [key, value] : published.at("set").as_object()) config.set(key, value);
  return config.dump();
}

/// The last row of the model in a directory that holds the case's checkpoint.
at::Tensor row_of_directory(const fs::path& directory, const Json& published) {
  const std::unique_ptr<Model> model = open_model(directory);
  return last_row(*model, first_sequence(published), published.at("class").as_string());
}

/// The checkpoint's weights under the case's names.
void write_published_weights(const Json& published, const fs::path& place) {
  const Safetensors ours = Safetensors::open(golden_checkpoint(published.at("checkpoint").as_string()));
  const Json::Array& dropped = published.at("dropped").as_array();
  std::vector<TensorView> views;
  for (const TensorView& view : ours.tensors()) {
    if (std::find(dropped.begin(), dropped.end(), Json(view.name)) == dropped.end()) views.push_back(view);
  }
  const std::vector<std::byte> zeros(1 << 17);
  for (const auto& [name, source] : published.at("tensors").as_object()) {
    if (source.is_string()) {
      views.push_back(*ours.find(source.as_string()));
      views.back().name = name;
      continue;
    }
    TensorView& view = views.emplace_back();
    view.name = name;
    view.dtype = *dtype_named(source.at("dtype").as_string());
    for (const Json& size : source.at("shape").as_array()) view.shape.push_back(size.as_integer());
    view.bytes = std::span(zeros).first(*byte_count(view.dtype, view.shape));
  }
  write_safetensors(place / "model.safetensors", views);
}

}  // namespace

TEST_CASE("policies: checkpoints with the keys and tensor names that they were published with give the same numbers") {
  const Json golden = committed_golden("architectures/published.json");
  for (const auto& [name, published] : golden.at("cases").as_object()) {
    CAPTURE(name);
    const Scratch scratch;
    scratch.file("config.json", config_text(published));
    write_published_weights(published, scratch.path());
    at::Tensor row;
    const std::optional<Caught> caught = error_of([&] { row = row_of_directory(scratch.path(), published); });
    CAPTURE((caught ? caught->message : std::string()));
    CHECK_FALSE(caught.has_value());
    if (caught) continue;
    CHECK(gap(row, row_of_directory(golden_checkpoint(published.at("checkpoint").as_string()), published)) == 0);
  }
}
