#include <cstdio>
#include <iostream>
#include <optional>

#include "app/commands.h"
#include "app/generator.h"
#include "base/error.h"
#include "base/json.h"
#include "text/chat_template.h"
#include "text/tokenizer_files.h"

namespace hone {

namespace {

/// The directory's chat template; nothing when it has none.
std::optional<ChatTemplate> template_of(const std::string& directory) {
  for (const NamedChatTemplate& found : read_chat_templates(directory)) {
    if (found.name == "default") return ChatTemplate(found.source, found.where);
  }
  return std::nullopt;
}

Json message(const char* role, std::string content) {
  Json made = Json::object();
  made.set("role", role);
  made.set("content", std::move(content));
  return made;
}

/// A conversation: what was said so far, and the request that continues it.
class Conversation {
 public:
  Conversation(const Generator& generator, std::optional<ChatTemplate> chat_template, const std::string& system)
      : generator_(generator), template_(std::move(chat_template)) {
    if (system.empty()) return;
    if (!template_) fail(ErrorKind::usage, "--system: this model has no chat template, so there is no system message");
    opening_.push_back(message("system", system));
    messages_ = opening_;
  }

  void begin_anew() { messages_ = opening_; }
  void hear(const std::string& text) { messages_.push_back(message("user", text)); }
  void said(std::string text) { messages_.push_back(message("assistant", std::move(text))); }

  Request request(const std::string& line, std::uint64_t seed, std::uint64_t turn) const {
    if (!template_) return generator_.request(line, seed, turn, 0);
    ChatInput input{.messages = Json(messages_), .add_generation_prompt = true};
    const Tokenizer& tokenizer = *generator_.tokenizer;
    if (tokenizer.bos_id()) input.special_tokens["bos_token"] = tokenizer.id_to_token(*tokenizer.bos_id());
    if (tokenizer.eos_id()) input.special_tokens["eos_token"] = tokenizer.id_to_token(*tokenizer.eos_id());
    const RenderedChat chat = template_->render(input);
    Request request = generator_.request(line, seed, turn, 0);
    request.context = tokenizer.encode_rendered(chat.text, chat.untrusted);
    return request;
  }

 private:
  const Generator& generator_;
  std::optional<ChatTemplate> template_;
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
  Conversation conversation(generator, template_of(command.model), command.system);
  std::uint64_t turn = 0;
  for (;;) {
    std::fputs("> ", stderr);
    std::string line;
    if (!std::getline(std::cin, line)) break;
    if (line.empty()) continue;
    if (line == "/new") {
      conversation.begin_anew();
      continue;
    }
    conversation.hear(line);
    Request request = conversation.request(line, static_cast<std::uint64_t>(command.seed), turn++);
    request.constraint = constraint;
    conversation.said(reply(generator, request, sampling));
  }
}

}  // namespace hone
