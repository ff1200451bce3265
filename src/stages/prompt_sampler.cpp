#include "stages/prompt_sampler.h"

#include "base/random.h"

namespace hone {

PromptSampler::PromptSampler(Run& run, const EnvironmentSpec& environment, const SamplingConfig& sampling,
                             const EngineConfig& engine, const std::string& stage)
    : run_(run),
      environment_(environment.make(run.services())),
      sampling_(sampling),
      engine_(*run.model, *run.tokenizer, engine),
      key_(stream_key(run.seed, "rollout/" + stage)) {}

std::vector<Episode> PromptSampler::episodes(std::span<const std::uint64_t> prompts, std::int64_t samples,
                                             std::uint64_t visit) {
  return collect(engine_, *run_.tokenizer, *environment_, prompts, sampling_,
                 {.samples = samples, .key = key_, .visit = visit});
}

}  // namespace hone
