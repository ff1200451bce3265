#include "app/catalog.h"
#include "app/commands.h"
#include "app/experiment.h"
#include "base/error.h"
#include "stages/adapter_directory.h"
#include "stages/gguf_model.h"
#include "stages/model_directory.h"
#include "text/tokenizer_json.h"

namespace hone {

namespace {

GgufType gguf_type(const std::string& name) {
  if (name == "f16") return GgufType::f16;
  if (name == "bf16") return GgufType::bf16;
  return name == "q8_0" ? GgufType::q8_0 : GgufType::f32;
}

}  // namespace

void command_export(const ExportCommand& command) {
  if (std::filesystem::exists(command.output)) {
    fail(ErrorKind::io, "{}: exists already; give another name or move it away", command.output);
  }
  if (!command.gguf.empty()) {
    if (is_adapter_directory(command.model)) {
      fail(ErrorKind::usage, "{} is an adapter: export it as a directory first, that merges it", command.model);
    }
    export_gguf(command.model, command.output, gguf_type(command.gguf));
    fmt::print("{}\n", command.output);
    return;
  }
  prepare_process(0);
  const std::unique_ptr<PolicySpec> spec = read_policy_spec(command.model, built_in());
  Model model(*spec, read_head_plan(command.model), kernels::Compute::float32, false);
  load_weights(model, command.model);
  const std::unique_ptr<Tokenizer> tokenizer = load_tokenizer(command.model);
  save_model_directory(model, *tokenizer, command.output);
  fmt::print("{}\n", command.output);
}

}  // namespace hone
