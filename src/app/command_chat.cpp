#include <cstdio>
#include <iostream>

#include "app/commands.h"
#include "app/generator.h"
#include "base/error.h"
#include "base/json.h"
#include "text/chat_format.h"

namespace hone {

namespace {

Json message(const char* role, std::string content) {
  Json made = Json::object();
  made.set("role", role);
  made.set("content", std::move(content));
  return made;
}

/// What was said so far, and the request that continues it.
class Dialogue {
 public:
  Dialogue(const Generator& generator, const std::string& system) : generator_(generator) {
    if (system.empty()) return;
    if (!has_template()) fail(ErrorKind::usage, "--system: this model has no chat template, so there is no system message");
    opening_.push_back(message("system", system));
    messages_ = opening_;
  }

  void begin_anew() { messages_ = opening_; }
  void hear(const std::string& text) { messages_.push_back(message("user", text)); }
  void said(std::string text) { messages_.push_back(message("assistant", std::move(text))); }

  /// An encoder reads the whole conversation, a decoder continues it.
  Request request(const std::string& line, std::uint64_t seed, std::uint64_t turn) const {
    if (!has_template()) return generator_.request(line, seed, turn, 0);
    const Conversation conversation{.messages = Json(messages_)};
    return generator_.request(
        encode_chat(*generator_.tokenizer, conversation, GenerationPrompt::yes, generator_.directory), seed, turn, 0);
  }

 private:
  bool has_template() const { return generator_.tokenizer->chat() != nullptr; }

  const Generator& generator_;
  Json::Array opening_, messages_;
};

/// Generates the reply and prints it as it comes.
std::string reply(Generator& generator, const Request& request, const SamplingConfig& sampling) {
  std::string text;
  const std::unique_ptr<TextStream> stream = generator.tokenizer->decode_stream();
  const auto show = [&text](const std::string& piece) {
    text += piece;
    std::fputs(piece.c_str(), stdout);
    std::fflush(stdout);
  };
  generator.engine->generate(std::span(&request, 1), sampling,
                             [&](std::size_t, std::int32_t id) { show(stream->push(id)); });
  show(stream->finish());
  std::fputs("\n", stdout);
  std::fflush(stdout);
  return text;
}

}  // namespace

void command_chat(const GenerateCommand& command) {
  Generator generator(command.model, command.compute);
  const SamplingConfig sampling = generator.sampling(command);
  const std::shared_ptr<const Constraint> constraint = generator.constraint(command, sampling);
  Dialogue dialogue(generator, command.system);
  std::uint64_t turn = 0;
  for (;;) {
    std::fputs("> ", stderr);
    std::string line;
    if (!std::getline(std::cin, line)) break;
    if (line.empty()) continue;
    if (line == "/new") {
      dialogue.begin_anew();
      continue;
    }
    dialogue.hear(line);
    Request request = dialogue.request(line, static_cast<std::uint64_t>(command.seed), turn++);
    request.constraint = constraint;
    dialogue.said(reply(generator, request, sampling));
  }
}

}  // namespace hone
