#include <cstdio>
#include <iostream>
#include <memory>

#include "app/catalog.h"
#include "app/commands.h"
#include "app/experiment.h"
#include "base/error.h"
#include "base/json.h"
#include "base/random.h"
#include "engine/engine.h"
#include "io/file.h"
#include "stages/model_directory.h"
#include "text/bpe_trainer.h"
#include "text/tokenizer_json.h"
#include "text/utf8_stream.h"

namespace hone {

namespace {

/// A model directory opened for generation.
struct Loaded {
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<Model> model;
  std::unique_ptr<Engine> engine;

  explicit Loaded(const std::string& directory) {
    prepare_process(0);
    const std::unique_ptr<PolicySpec> spec = read_policy_spec(directory, built_in());
    tokenizer = load_tokenizer(directory);
    model = std::make_unique<Model>(*spec, HeadPlan{}, compute_of(ComputeChoice::automatic), false);
    load_weights(*model, directory);
    engine = std::make_unique<Engine>(*model, *tokenizer, EngineConfig{});
  }
};

std::vector<std::string> read_lines() {
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) lines.push_back(line);
  return lines;
}

Request request_for(const Tokenizer& tokenizer, const std::string& prompt, std::uint64_t seed, std::uint64_t id,
                    std::int64_t sample) {
  Request request;
  request.context = tokenizer.encode(prompt, AddSpecial::yes);
  if (request.context.empty() && tokenizer.bos_id()) request.context.push_back(*tokenizer.bos_id());
  if (request.context.empty()) {
    fail(ErrorKind::usage, "the prompt is empty and the tokenizer has no bos token: give --prompt some text");
  }
  request.key = stream_key(seed, "generate");
  request.prompt_id = id;
  request.sample = static_cast<std::uint32_t>(sample);
  return request;
}

const char* finish_name(FinishReason reason) { return reason == FinishReason::stop ? "stop" : "length"; }

void print_completion(const std::string& prompt, const Completion& completion, bool json) {
  if (!json) {
    std::printf("%s%s\n", prompt.c_str(), completion.text.c_str());
    return;
  }
  Json line = Json::object();
  line.set("prompt", prompt);
  line.set("completion", completion.text);
  line.set("finish_reason", finish_name(completion.finish));
  double sum = 0;
  for (const float logprob : completion.logprob) sum += logprob;
  line.set("tokens", static_cast<std::int64_t>(completion.ids.size()));
  line.set("logprob", sum);
  std::puts(line.dump().c_str());
}

}  // namespace

void command_generate(const GenerateCommand& command) {
  Loaded loaded(command.model);
  const std::vector<std::string> prompts = command.prompts.empty() ? read_lines() : command.prompts;
  std::vector<Request> requests;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    for (std::int64_t sample = 0; sample < command.samples; ++sample) {
      requests.push_back(request_for(*loaded.tokenizer, prompts[p], static_cast<std::uint64_t>(command.seed), p, sample));
    }
  }
  const std::vector<Completion> completions = loaded.engine->generate(requests, command.sampling);
  for (std::size_t i = 0; i < completions.size(); ++i) {
    print_completion(prompts[i / static_cast<std::size_t>(command.samples)], completions[i], command.json);
  }
}

void command_chat(const GenerateCommand& command) {
  Loaded loaded(command.model);
  std::uint64_t turn = 0;
  for (;;) {
    std::fputs("> ", stderr);
    std::string line;
    if (!std::getline(std::cin, line)) break;
    if (line.empty()) continue;
    const Request request =
        request_for(*loaded.tokenizer, line, static_cast<std::uint64_t>(command.seed), turn++, 0);
    Utf8Stream characters;
    loaded.engine->generate(std::span(&request, 1), command.sampling, [&](std::size_t, std::int32_t id) {
      if (loaded.tokenizer->is_special(id)) return;
      std::fputs(characters.push(loaded.tokenizer->id_to_bytes(id)).c_str(), stdout);
      std::fflush(stdout);
    });
    std::fputs((characters.finish() + "\n").c_str(), stdout);
    std::fflush(stdout);
  }
}

void command_tokenizer_train(const TokenizerTraining& command) {
  BpeTrainer trainer(default_bpe_options(command.vocabulary));
  for (const std::string& file : command.files) trainer.add(read_file(file));
  const std::unique_ptr<Tokenizer> tokenizer = trainer.train();
  make_directories(command.output);
  tokenizer->save(command.output);
  fmt::print("{}/tokenizer.json\t{} ids\n", command.output, tokenizer->vocab_size());
}

void command_tokenizer_encode(const std::string& tokenizer, const std::optional<std::string>& text) {
  const std::unique_ptr<Tokenizer> loaded = load_tokenizer(tokenizer);
  for (const std::string& line : text ? std::vector<std::string>{*text} : read_lines()) {
    std::string ids;
    for (const std::int32_t id : loaded->encode(line)) ids += (ids.empty() ? "" : " ") + std::to_string(id);
    std::puts(ids.c_str());
  }
}

}  // namespace hone
