#include "app/catalog.h"
#include "app/commands.h"
#include "app/experiment.h"
#include "base/error.h"
#include "stages/model_directory.h"
#include "text/tokenizer_json.h"

namespace hone {

void command_export(const ExportCommand& command) {
  prepare_process(0);
  const std::unique_ptr<PolicySpec> spec = read_policy_spec(command.model, built_in());
  Model model(*spec, read_head_plan(command.model), kernels::Compute::float32, false);
  load_weights(model, command.model);
  const std::unique_ptr<Tokenizer> tokenizer = load_tokenizer(command.model);
  if (std::filesystem::exists(command.output)) {
    fail(ErrorKind::io, "{}: exists already; give another name or move it away", command.output);
  }
  save_model_directory(model, *tokenizer, command.output);
  fmt::print("{}\n", command.output);
}

}  // namespace hone
