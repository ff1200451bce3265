#include "app/generator.h"

#include <charconv>

#include "app/catalog.h"
#include "app/experiment.h"
#include "base/error.h"
#include "base/random.h"
#include "io/generation_config.h"
#include "stages/model_directory.h"
#include "text/constraint/constraint.h"
#include "text/constraint/token_trie.h"

namespace hone {

namespace {

kernels::Compute compute_named(const std::string& name) {
  if (name == "int8") return kernels::Compute::int8;
  if (name == "float32") return compute_of(ComputeChoice::float32);
  return compute_of(name == "bfloat16" ? ComputeChoice::bfloat16 : ComputeChoice::automatic);
}

}  // namespace

Generator::Generator(const std::string& place, const std::string& compute) : directory(place) {
  prepare_process(0);
  const std::unique_ptr<PolicySpec> spec = read_policy_spec(directory, built_in());
  tokenizer = read_model_tokenizer(directory, *spec);
  model = std::make_unique<Model>(*spec, HeadPlan{}, compute_named(compute), WeightUse::compute);
  load_weights(*model, directory);
  engine = std::make_unique<Engine>(*model, *tokenizer, EngineConfig{});
}

Request Generator::request(std::vector<std::int32_t> ids, std::uint64_t seed, std::uint64_t id, std::int64_t sample) const {
  Request request;
  (engine->encodes() ? request.source : request.context) = std::move(ids);
  request.key = stream_key(seed, "generate");
  request.prompt_id = id;
  request.sample = static_cast<std::uint32_t>(sample);
  return request;
}

Request Generator::request(const std::string& prompt, std::uint64_t seed, std::uint64_t id, std::int64_t sample) const {
  std::vector<std::int32_t> ids = tokenizer->encode(prompt, AddSpecial::yes);
  if (ids.empty() && tokenizer->bos_id()) ids.push_back(*tokenizer->bos_id());
  if (ids.empty()) fail(ErrorKind::usage, "the prompt is empty and the tokenizer has no bos token: give --prompt some text");
  return request(std::move(ids), seed, id, sample);
}

SamplingConfig Generator::sampling(const GenerateCommand& command) const {
  SamplingConfig sampling = command.sampling;
  for (const std::int64_t id : read_generation_config(directory).eos_token_ids) sampling.eos_ids.push_back(id);
  for (const std::string& bias : command.biases) {
    const std::size_t equals = bias.find('=');
    double value = 0;
    const char* end = bias.data() + bias.size();
    const auto parsed = equals == std::string::npos ? std::from_chars_result{} : std::from_chars(bias.data() + equals + 1, end, value);
    if (equals == std::string::npos || parsed.ec != std::errc() || parsed.ptr != end) {
      fail(ErrorKind::usage, "--logit-bias is '{}', expected ID=VALUE, like 42=-5", bias);
    }
    sampling.logit_bias.emplace_back(bias.substr(0, equals), value);
  }
  return sampling;
}

std::shared_ptr<const Constraint> Generator::constraint(const GenerateCommand& command, const SamplingConfig& sampling) const {
  if (command.regex.empty() && command.choices.empty()) return nullptr;
  if (!command.regex.empty() && !command.choices.empty()) fail(ErrorKind::usage, "--regex and --choice: give one of them");
  const auto trie = TokenTrie::of(*tokenizer, engine->ends(sampling));
  return command.regex.empty() ? Constraint::choices(command.choices, trie) : Constraint::regex(command.regex, trie);
}

}  // namespace hone
