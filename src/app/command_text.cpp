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
  Generator loaded(command.model);
  const std::vector<std::string> prompts = command.prompts.empty() ? read_lines() : command.prompts;
  std::vector<Request> requests;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    for (std::int64_t sample = 0; sample < command.samples; ++sample) {
      requests.push_back(loaded.request(prompts[p], static_cast<std::uint64_t>(command.seed), p, sample));
    }
  }
  const std::vector<Completion> completions = loaded.engine->generate(requests, command.sampling);
  for (std::size_t i = 0; i < completions.size(); ++i) {
    print_completion(prompts[i / static_cast<std::size_t>(command.samples)], completions[i], command.json);
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
