#include <cstdio>
#include <iostream>
#include <memory>

#include "app/commands.h"
#include "app/generator.h"
#include "base/json.h"
#include "io/file.h"
#include "text/token_lines.h"
#include "text/tokenizer_json.h"
#include "text/tokenizer_trainer.h"

namespace hone {

namespace {

std::vector<std::string> read_lines() {
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) lines.push_back(line);
  return lines;
}

const char* finish_name(FinishReason reason) { return reason == FinishReason::stop ? "stop" : "length"; }

/// A line that begins with { is {"prompt": …}, any other a prompt.
std::string prompt_of(const std::string& line, std::size_t number) {
  return line.starts_with("{") ? Json::parse(line, fmt::format("line {}", number)).at("prompt").as_string() : line;
}

Json numbers(const std::vector<float>& values) {
  Json::Array list;
  for (const float value : values) list.emplace_back(static_cast<double>(value));
  return Json(std::move(list));
}

void print_completion(const std::string& prompt, const Completion& completion, const GenerateCommand& command,
                      std::optional<float> beam_score) {
  if (!command.json) {
    std::printf("%s%s\n", prompt.c_str(), completion.text.c_str());
    return;
  }
  Json line = Json::object();
  line.set("prompt", prompt);
  line.set("completion", completion.text);
  line.set("finish_reason", finish_name(completion.finish));
  line.set("tokens", static_cast<std::int64_t>(completion.ids.size()));
  if (beam_score) {
    line.set("score", static_cast<double>(*beam_score));
  } else {
    double sum = 0;
    for (const float logprob : completion.logprob) sum += logprob;
    line.set("logprob", sum);
    if (command.logprobs) {
      Json::Array ids;
      for (const std::int32_t id : completion.ids) ids.emplace_back(static_cast<std::int64_t>(id));
      line.set("ids", Json(std::move(ids)));
      line.set("logprobs", numbers(completion.logprob));
    }
  }
  std::puts(line.dump().c_str());
}

void print_beams(Generator& loaded, const std::vector<std::string>& prompts, const std::vector<Request>& requests,
                 const GenerateCommand& command, const SamplingConfig& sampling) {
  const BeamSettings beams{.num_beams = command.beams,
                           .num_return_sequences = command.samples,
                           .length_penalty = command.length_penalty};
  const std::vector<std::vector<BeamText>> found = loaded.engine->beam_search(requests, beams, sampling);
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    for (const BeamText& text : found[p]) print_completion(prompts[p], text.completion, command, text.score);
  }
}

}  // namespace

void command_generate(const GenerateCommand& command) {
  Generator loaded(command.model, command.compute);
  const SamplingConfig sampling = loaded.sampling(command);
  const std::shared_ptr<const Constraint> constraint = loaded.constraint(command, sampling);
  std::vector<std::string> prompts = command.prompts;
  if (prompts.empty()) {
    for (const std::string& line : read_lines()) prompts.push_back(prompt_of(line, prompts.size() + 1));
  }
  const std::int64_t samples = command.beams > 1 ? 1 : command.samples;
  std::vector<Request> requests;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    for (std::int64_t sample = 0; sample < samples; ++sample) {
      requests.push_back(loaded.request(prompts[p], static_cast<std::uint64_t>(command.seed), p, sample));
      requests.back().constraint = constraint;
    }
  }
  if (command.beams > 1) {
    print_beams(loaded, prompts, requests, command, sampling);
    return;
  }
  const std::vector<Completion> completions = loaded.engine->generate(requests, sampling);
  for (std::size_t i = 0; i < completions.size(); ++i) {
    print_completion(prompts[i / static_cast<std::size_t>(samples)], completions[i], command, std::nullopt);
  }
}

void command_tokenizer_train(const TokenizerTraining& command) {
  TokenizerTrainer trainer({.kind = tokenizer_kind(command.type), .vocab_size = static_cast<std::int32_t>(command.vocabulary)});
  for (const std::string& file : command.files) trainer.add(read_file(file));
  const std::unique_ptr<Tokenizer> tokenizer = trainer.train();
  make_directories(command.output);
  tokenizer->save(command.output);
  fmt::print("{}/tokenizer.json\t{} ids\n", command.output, tokenizer->vocab_size());
}

void command_tokenizer_text(const std::string& tokenizer, const std::string& text) {
  std::string ids;
  for (const std::int32_t id : load_tokenizer(tokenizer)->encode(text)) ids += (ids.empty() ? "" : " ") + std::to_string(id);
  std::puts(ids.c_str());
}

void command_tokenizer_encode(const TokenLines& lines) {
  encode_lines(*load_tokenizer(lines.tokenizer), std::cin, std::cout,
               {.add = lines.special ? AddSpecial::yes : AddSpecial::no,
                .special = lines.parse ? SpecialTokens::parse : SpecialTokens::as_text,
                .offsets = lines.offsets});
}

void command_tokenizer_decode(const TokenLines& lines) {
  decode_lines(*load_tokenizer(lines.tokenizer), std::cin, std::cout, lines.special ? SkipSpecial::no : SkipSpecial::yes);
}

}  // namespace hone
