#include "text/chat_format.h"

#include <algorithm>

#include "base/error.h"
#include "io/file.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

/// What templates know the special tokens by.
std::map<std::string, std::string> special_tokens(const Tokenizer& tokenizer) {
  std::map<std::string, std::string> tokens;
  const auto add = [&](const char* name, std::optional<std::int32_t> id) {
    if (id) tokens[name] = tokenizer.id_to_token(*id);
  };
  add("bos_token", tokenizer.bos_id());
  add("eos_token", tokenizer.eos_id());
  add("pad_token", tokenizer.pad_id());
  add("unk_token", tokenizer.unk_id());
  add("mask_token", tokenizer.mask_id());
  return tokens;
}

const ChatTemplate& template_for(const Tokenizer& tokenizer, const Conversation& conversation) {
  if (tokenizer.chat() == nullptr) {
    fail(ErrorKind::config,
         "messages need a chat template, and the model's directory has none; set `tokenizer.chat_template` to one or "
         "to a file that holds one");
  }
  return tokenizer.chat()->chosen(!conversation.tools.is_null());
}

ChatInput input_of(const Tokenizer& tokenizer, const Conversation& conversation, bool generation_prompt) {
  return {.messages = conversation.messages,
          .tools = conversation.tools,
          .add_generation_prompt = generation_prompt,
          .special_tokens = special_tokens(tokenizer)};
}

/// Runs `work`; its errors open with `where`.
template <class Work>
auto at_place(std::string_view where, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    fail(error.kind(), "{}: {}", where, error.what());
  }
}

/// Those of the text from `begin` on, counted from there.
std::vector<TextRange> ranges_behind(const std::vector<TextRange>& ranges, std::size_t begin) {
  std::vector<TextRange> rest;
  for (const TextRange& range : ranges) {
    if (range.end > begin) rest.push_back({std::max(range.begin, begin) - begin, range.end - begin});
  }
  return rest;
}

Json message(const char* role, std::string_view content) {
  Json json = Json::object();
  json.set("role", role);
  json.set("content", std::string(content));
  return json;
}

std::vector<std::int32_t> reply_ids(const Tokenizer& tokenizer, const Conversation& before,
                                    std::span<const std::int32_t> answer, std::string_view reply) {
  constexpr std::string_view stand_in = "ANSWER";  // in place of the answer, whose ids are known
  const ChatTemplate& chat = template_for(tokenizer, before);
  ChatInput input = input_of(tokenizer, before, false);
  input.messages = answered(before, stand_in).messages;
  const std::string written = chat.render(input).text;
  const std::size_t at = written.rfind(stand_in);
  Json::Array messages = input.messages.as_array();
  messages.push_back(message("user", reply));
  input.messages = Json(std::move(messages));
  input.add_generation_prompt = true;
  const RenderedChat going_on = chat.render(input);
  const std::size_t end = at + stand_in.size();
  if (at == std::string::npos || !going_on.text.starts_with(written.substr(0, end))) {
    fail(ErrorKind::data,
         "the conversation cannot go on: the chat template writes an answer otherwise once a reply follows");
  }
  std::vector<std::int32_t> ids = tokenizer.encode_rendered(std::string_view(going_on.text).substr(end),
                                                            ranges_behind(going_on.untrusted, end));
  if (!ids.empty() && !answer.empty() && ids.front() == answer.back()) ids.erase(ids.begin());
  return ids;
}

}  // namespace

std::shared_ptr<const ChatFormat> ChatFormat::of_directory(const fs::path& directory) {
  std::vector<NamedChatTemplate> sources = read_chat_templates(directory);
  if (sources.empty()) return nullptr;
  return std::shared_ptr<const ChatFormat>(new ChatFormat(std::move(sources)));
}

std::shared_ptr<const ChatFormat> ChatFormat::given(const std::string& template_or_file) {
  const bool is_template = template_or_file.find("{{") != template_or_file.npos ||
                           template_or_file.find("{%") != template_or_file.npos;
  std::string source = is_template ? template_or_file : read_file(template_or_file);
  std::shared_ptr<ChatFormat> format(
      new ChatFormat({{"default", source, is_template ? "tokenizer.chat_template" : template_or_file}}));
  format->given_ = std::move(source);
  format->chosen(false);  // what does not compile is told at once
  return format;
}

const ChatTemplate& ChatFormat::chosen(bool has_tools) const {
  std::vector<std::string> names;
  for (const NamedChatTemplate& source : sources_) names.push_back(source.name);
  const std::string name = choose_chat_template(names, has_tools, sources_.front().where);
  const std::lock_guard lock(mutex_);
  const auto found = compiled_.find(name);
  if (found != compiled_.end()) return found->second;
  const auto source = std::ranges::find(sources_, name, &NamedChatTemplate::name);
  return compiled_.emplace(name, ChatTemplate(source->source, source->where)).first->second;
}

void ChatFormat::save(const fs::path& directory) const {
  if (!given_.empty()) write_file_atomic(directory / "chat_template.jinja", given_);
}

std::vector<std::int32_t> encode_chat(const Tokenizer& tokenizer, const Conversation& conversation,
                                      GenerationPrompt generation_prompt, std::string_view where) {
  return at_place(where, [&] {
    const bool opens = generation_prompt == GenerationPrompt::yes;
    const RenderedChat chat = template_for(tokenizer, conversation).render(input_of(tokenizer, conversation, opens));
    return tokenizer.encode_rendered(chat.text, chat.untrusted);
  });
}

ChatIds encode_chat_example(const Tokenizer& tokenizer, const Conversation& conversation, ChatTurns turns,
                            std::string_view where) {
  return at_place(where, [&] {
    const ChatExample example =
        chat_example(template_for(tokenizer, conversation), input_of(tokenizer, conversation, false), turns);
    EncodedText encoded = tokenizer.encode_rendered_with_offsets(example.chat.text, example.chat.untrusted);
    ChatIds chat{.ids = std::move(encoded.ids), .learned = {}};
    auto turn = example.learned.begin();
    for (const TextRange& place : encoded.offsets) {
      while (turn != example.learned.end() && turn->end <= place.begin) ++turn;
      chat.learned.push_back(turn != example.learned.end() && turn->begin < place.end && place.begin < place.end);
    }
    return chat;
  });
}

std::vector<std::int32_t> encode_chat_reply(const Tokenizer& tokenizer, const Conversation& before,
                                            std::span<const std::int32_t> answer, std::string_view reply,
                                            std::string_view where) {
  return at_place(where, [&] { return reply_ids(tokenizer, before, answer, reply); });
}

Conversation answered(Conversation conversation, std::string_view answer) {
  Json::Array messages = conversation.messages.as_array();
  messages.push_back(message("assistant", answer));
  conversation.messages = Json(std::move(messages));
  return conversation;
}

}  // namespace hone
