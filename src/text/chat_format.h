#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "text/tokenizer_files.h"

namespace hone {

/// The chat templates of a model. They are compiled when first used: a model whose template uses what this engine
/// refuses can still be trained on plain texts.
class ChatFormat {
 public:
  /// Those of a model directory; null when it has none.
  static std::shared_ptr<const ChatFormat> of_directory(const std::filesystem::path& directory);
  /// A template, or the name of a file that holds one, which is to go with the model from now on.
  static std::shared_ptr<const ChatFormat> given(const std::string& template_or_file);

  /// The template that transformers takes for conversations with or without tools. Error{data} for one that does not
  /// compile.
  const ChatTemplate& chosen(bool has_tools) const;
  /// Writes a template that was given as chat_template.jinja. Those of a directory are files of the tokenizer.
  void save(const std::filesystem::path& directory) const;

 private:
  explicit ChatFormat(std::vector<NamedChatTemplate> sources) : sources_(std::move(sources)) {}

  std::vector<NamedChatTemplate> sources_;
  std::string given_;  ///< what save writes
  mutable std::mutex mutex_;
  mutable std::map<std::string, ChatTemplate> compiled_;  ///< by name
};

/// A conversation as data and environments give it.
struct Conversation {
  Json messages;  ///< an array of {"role", "content", …}
  Json tools;     ///< an array of tool descriptions, or null
};

/// Token ids of a conversation.
struct ChatIds {
  std::vector<std::int32_t> ids;
  std::vector<std::uint8_t> learned;  ///< one an id: 1 where the assistant says it, the end of its turns included
};

enum class GenerationPrompt { no, yes };

// All of these: Error{data} or Error{config} that opens with `where` when the tokenizer has no chat template (the
// message names the key to set) or the template refuses the conversation. What messages spell is never a special token.

/// A conversation as it is rendered; what a model is asked with ends with the opening of the assistant's turn.
std::vector<std::int32_t> encode_chat(const Tokenizer& tokenizer, const Conversation& conversation,
                                      GenerationPrompt generation_prompt, std::string_view where);

/// What a model learns from: chat_example as ids. An id counts as learned when one of its bytes is.
ChatIds encode_chat_example(const Tokenizer& tokenizer, const Conversation& conversation, ChatTurns turns,
                            std::string_view where);

/// What stands between an answer and the next one: the rest of the assistant's turn behind its text (without its first
/// id if `answer` ends with that), the reply as a turn of the user, and the opening of the next turn.
std::vector<std::int32_t> encode_chat_reply(const Tokenizer& tokenizer, const Conversation& before,
                                            std::span<const std::int32_t> answer, std::string_view reply,
                                            std::string_view where);

/// With one more message of the assistant.
Conversation answered(Conversation conversation, std::string_view answer);

}  // namespace hone
