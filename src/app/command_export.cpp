#include "app/catalog.h"
#include "app/commands.h"
#include "app/experiment.h"
#include "base/error.h"
#include "config/scalars.h"
#include "io/file.h"
#include "io/generation_config.h"
#include "stages/adapter_directory.h"
#include "stages/describe_model.h"
#include "stages/gguf_model.h"
#include "stages/model_directory.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

GgufType gguf_type(const std::string& name) {
  if (name == "f16") return GgufType::f16;
  if (name == "bf16") return GgufType::bf16;
  return name == "q8_0" ? GgufType::q8_0 : GgufType::f32;
}

WeightFiles weight_files(const ExportCommand& command) {
  const std::optional<Bytes> most = parse_bytes(command.max_shard_size);
  if (!most || most->count < 1) {
    fail(ErrorKind::usage, "--max-shard-size is '{}', expected a number of bytes like 2GB or 500MiB", command.max_shard_size);
  }
  const DType stored = command.dtype == "bfloat16" ? DType::bf16 : command.dtype == "float16" ? DType::f16 : DType::f32;
  return {.stored = stored, .max_shard_bytes = static_cast<std::uint64_t>(most->count)};
}

/// The model's own card, or one of the merged model.
std::string card_text(const Model& model, const ExportCommand& command) {
  const fs::path own = fs::path(command.model) / "README.md";
  if (!is_adapter_directory(command.model)) return fs::is_regular_file(own) ? read_file(own) : "";
  ModelCard card = card_of(model);
  const std::string base = base_directory(command.model).string();
  card.base_model = hub_name(base);
  card.description = "A base model with an adapter merged into it by hone.";
  card.training.emplace_back("Base model", base);
  card.training.emplace_back("Adapter", command.model);
  return model_card_text(card);
}

/// That of the adapter's directory, or where it has none its base's.
Json generation_config(const std::string& place) {
  const Json own = stored_generation_config(place);
  return own.is_null() && is_adapter_directory(place) ? stored_generation_config(base_directory(place)) : own;
}

void export_directory(const ExportCommand& command) {
  const WeightFiles weights = weight_files(command);
  prepare_process(0);
  const std::unique_ptr<PolicySpec> spec = read_policy_spec(command.model, built_in());
  Model model(*spec, read_head_plan(command.model), kernels::Compute::float32, WeightUse::edit);
  load_weights(model, command.model);
  const std::unique_ptr<Tokenizer> tokenizer = read_model_tokenizer(command.model, *spec);
  save_model_directory(model, *tokenizer, command.output,
                       {.weights = weights,
                        .generation_config = generation_config(command.model),
                        .card = card_text(model, command)});
}

}  // namespace

void command_export(const ExportCommand& command) {
  if (fs::exists(command.output)) {
    fail(ErrorKind::io, "{}: exists already; give another name or move it away", command.output);
  }
  if (command.gguf.empty()) {
    export_directory(command);
  } else {
    if (is_adapter_directory(command.model)) {
      fail(ErrorKind::usage, "{} is an adapter: export it as a directory first, that merges it", command.model);
    }
    if (command.dtype != ExportCommand{}.dtype || command.max_shard_size != ExportCommand{}.max_shard_size) {
      fail(ErrorKind::usage, "--dtype and --max-shard-size are of directories; a GGUF file has the type that --gguf names");
    }
    export_gguf(command.model, command.output, gguf_type(command.gguf));
  }
  fmt::print("{}\n", command.output);
}

}  // namespace hone
