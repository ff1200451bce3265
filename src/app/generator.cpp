#include "app/generator.h"

#include "app/catalog.h"
#include "app/experiment.h"
#include "base/error.h"
#include "base/random.h"
#include "stages/model_directory.h"
#include "text/tokenizer_json.h"

namespace hone {

Generator::Generator(const std::string& directory) {
  prepare_process(0);
  const std::unique_ptr<PolicySpec> spec = read_policy_spec(directory, built_in());
  tokenizer = load_tokenizer(directory);
  model = std::make_unique<Model>(*spec, HeadPlan{}, compute_of(ComputeChoice::automatic), false);
  load_weights(*model, directory);
  engine = std::make_unique<Engine>(*model, *tokenizer, EngineConfig{});
}

Request Generator::request(const std::string& prompt, std::uint64_t seed, std::uint64_t id, std::int64_t sample) const {
  Request request;
  request.context = tokenizer->encode(prompt, AddSpecial::yes);
  if (request.context.empty() && tokenizer->bos_id()) request.context.push_back(*tokenizer->bos_id());
  if (request.context.empty()) {
    fail(ErrorKind::usage, "the prompt is empty and the tokenizer has no bos token: give --prompt some text");
  }
  request.key = stream_key(seed, "generate");
  request.prompt_id = id;
  request.sample = static_cast<std::uint32_t>(sample);
  return request;
}

}  // namespace hone
