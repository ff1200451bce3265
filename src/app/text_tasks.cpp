#include "app/text_tasks.h"

#include <fmt/ranges.h>

#include "base/error.h"
#include "base/log.h"
#include "engine/engine.h"
#include "io/generation_config.h"
#include "predict/text_task.h"

namespace hone {

namespace {

/// How a task's texts are searched for.
struct Search {
  BeamSettings beams;
  SamplingConfig sampling;
};

Search search_of(const GenerationConfig& wanted, const PredictOptions& options) {
  // Lengths count the id that every target begins with.
  const std::int64_t most = wanted.max_new_tokens.value_or(wanted.max_length ? *wanted.max_length - 1 : 256);
  Search search;
  search.beams = {.num_beams = options.beams > 0 ? options.beams : wanted.num_beams.value_or(4),
                  .length_penalty = wanted.length_penalty.value_or(1.0),
                  .early_stopping = wanted.never_stops_early               ? EarlyStopping::never
                                    : wanted.early_stopping.value_or(false) ? EarlyStopping::yes
                                                                            : EarlyStopping::no};
  search.sampling.temperature = 0;
  search.sampling.max_tokens = options.max_tokens > 0 ? options.max_tokens : most;
  search.sampling.min_tokens = wanted.min_new_tokens.value_or(std::max<std::int64_t>(0, wanted.min_length.value_or(0) - 1));
  search.sampling.min_tokens = std::min(search.sampling.min_tokens, search.sampling.max_tokens);
  search.sampling.repetition_penalty = wanted.repetition_penalty.value_or(1.0);
  search.sampling.no_repeat_ngram = wanted.no_repeat_ngram_size.value_or(0);
  for (const std::int64_t id : wanted.eos_token_ids) search.sampling.eos_ids.push_back(id);
  return search;
}

void tell_left_out(const GenerationConfig& wanted, const std::string& directory) {
  std::vector<std::string> names = wanted.not_honoured;
  if (wanted.do_sample.value_or(false)) names.emplace_back("do_sample: the most likely text is written");
  if (!names.empty()) log_warn("{}: settings of generation that are not honoured: {}", directory, fmt::join(names, ", "));
}

GenerationConfig wanted_by(const TaskModel& model, const TextTask& task) {
  Json settings = stored_generation_config(model.directory);
  for (const auto& [key, value] : task.generation.as_object()) settings.set(key, value);
  if (settings.is_null()) settings = Json::object();
  return read_generation_config(settings, model.directory + ": settings of generation");
}

/// A model with all that a line needs; shared by the copies of its task.
struct Writer {
  Writer(const TaskModel& task_model, const TextTask& task, const std::string& task_name, const PredictOptions& options)
      : model(task_model), name(task_name), prefix(task.prefix), engine(*model.model, *model.tokenizer, {}) {
    const GenerationConfig wanted = wanted_by(model, task);
    tell_left_out(wanted, model.directory);
    search = search_of(wanted, options);
  }

  Json write(const std::string& text) {
    Request request;
    request.source = model.tokenizer->encode(prefix + text, AddSpecial::yes);
    if (request.source.empty()) fail(ErrorKind::data, "the text is empty");
    const std::span<const Request> one(&request, 1);
    const Completion found = search.beams.num_beams > 1
                                 ? engine.beam_search(one, search.beams, search.sampling)[0][0].completion
                                 : engine.generate(one, search.sampling)[0];
    return Json::Array{text_task_json(name, model.tokenizer->decode(found.ids))};  // a text of its own, no continuation
  }

  const TaskModel& model;
  std::string name;
  std::string prefix;
  Engine engine;
  Search search;
};

PredictTask writing_task(const TaskModel& model, const std::string& name, const PredictOptions& options) {
  if (model.model->policy->shape().kind != PolicyKind::encoder_decoder || !model.model->plan.lm) {
    fail(ErrorKind::data, "{}: {} needs an encoder-decoder (class …ForConditionalGeneration), this directory's is {}; a "
         "decoder continues prompts with hone generate", model.directory, name,
         model.model->policy->hf_class(model.model->score ? std::optional(model.model->score->kind()) : std::nullopt));
  }
  if (options.from.empty() != options.to.empty()) {
    fail(ErrorKind::usage, "--source and --target: give both languages or none");
  }
  const TextTask task = read_text_task(
      model.config, {.task = name, .from = options.from, .to = options.to, .prefix = options.prefix}, model.directory + "/config.json");
  const auto writer = std::make_shared<Writer>(model, task, name, options);
  return [writer](const Json& input) { return writer->write(input.is_string() ? input.as_string() : input.at("text").as_string()); };
}

}  // namespace

PredictTask summarization(const TaskModel& model, const PredictOptions& options) {
  if (!options.from.empty() || !options.to.empty()) fail(ErrorKind::usage, "--source and --target go with translation");
  return writing_task(model, "summarization", options);
}

PredictTask translation(const TaskModel& model, const PredictOptions& options) {
  return writing_task(model, "translation", options);
}

}  // namespace hone
