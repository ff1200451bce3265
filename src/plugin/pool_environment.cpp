#include "plugin/pool_environment.h"

#include "base/error.h"
#include "base/random.h"
#include "plugin/wire.h"

namespace hone {

namespace {

std::uint64_t size_of(const Json& hello, std::string_view split, const std::string& name) {
  const Json* sizes = hello.find("size");
  const Json* size = sizes == nullptr ? nullptr : sizes->find(split);
  if (size == nullptr || !size->is_integer() || size->as_integer() < 0) {
    fail(ErrorKind::service, "environment {}: its hello must say how many prompts there are: \"size\": {{\"train\": n, "
         "\"held_out\": m}}", name);
  }
  return static_cast<std::uint64_t>(size->as_integer());
}

}  // namespace

PoolEnvironment::PoolEnvironment(WorkerSpec spec, const PoolOptions& options, std::uint64_t key)
    : pool_(spec, 1), name_(std::move(spec.name)), seconds_(options.timeout.count), key_(key) {
  train_ = size_of(pool_.hello(), "train", name_);
  held_out_ = size_of(pool_.hello(), "held_out", name_);
}

Json PoolEnvironment::ask_prompt(Split split, std::uint64_t index) const {
  Json wanted = Json::object();
  wanted.set("split", split == Split::train ? "train" : "held_out");
  wanted.set("index", static_cast<std::int64_t>(index));
  wanted.set("seed", static_cast<std::int64_t>(Random(key_, prompt_id(split, index)).next64() >> 11));
  PluginWorker::Result result = pool_.call("prompts", {std::move(wanted)}, seconds_);
  if (const auto* failure = std::get_if<PluginFailure>(&result)) {
    fail(ErrorKind::service, "environment {}: prompt {}: {}", name_, index, failure->why);
  }
  return std::get<Json>(result).as_array().front();
}

Prompt PoolEnvironment::prompt(Split split, std::uint64_t index) const {
  Prompt prompt = prompt_from_json(ask_prompt(split, index)).prompt;
  prompt.split = split;
  prompt.id = prompt_id(split, index);
  return prompt;
}

std::optional<std::string> PoolEnvironment::demonstration(const Prompt& prompt) const {
  return prompt_from_json(ask_prompt(prompt.split, prompt.id >> 1)).demonstration;
}

Environment::Step PoolEnvironment::step(const Episode& episode) {
  const Episode* one = &episode;
  return steps(std::span(&one, 1)).front();
}

std::vector<Environment::Step> PoolEnvironment::steps(std::span<const Episode* const> episodes) {
  Json::Array items;
  for (const Episode* episode : episodes) items.push_back(item_json(*episode, episode_seed(key_, *episode)));
  const PluginWorker::Result result = pool_.call("steps", std::move(items), seconds_);
  std::vector<Step> steps(episodes.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    try {
      if (const auto* failure = std::get_if<PluginFailure>(&result)) fail(ErrorKind::service, "{}", failure->why);
      steps[i] = step_from_json(std::get<Json>(result).as_array()[i]);
    } catch (const Error& error) {
      steps[i] = {.done = true, .failure = fmt::format("environment {}: {}", name_, error.what())};
    }
  }
  return steps;
}

}  // namespace hone
