#pragma once

#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/aligned_text.h"

namespace hone {

namespace jinja {
class Template;
}

/// What a chat template sees.
struct ChatInput {
  Json messages;   ///< an array of objects with "role" and mostly "content"
  Json tools;      ///< an array of tool descriptions, or null
  Json documents;  ///< an array of objects, or null
  bool add_generation_prompt = false;
  /// Ends the text inside the last message, so that a model continues it.
  bool continue_final_message = false;
  /// "bos_token", "eos_token", …: trusted, as the template's own text is.
  std::map<std::string, std::string> special_tokens;
  Json extra;  ///< an object with further variables (enable_thinking: true), or null
  /// What strftime_now shows; the local time when it is not set.
  std::optional<std::tm> now;
};

/// A conversation as the text that the model was trained on. Ranges are bytes of `text`, ascending and disjoint.
struct RenderedChat {
  std::string text;
  /// What messages, tools, documents or extra variables wrote: no special token may be matched in it, so that nobody
  /// forges a turn. The template's own text, special tokens and the usual names of roles are outside.
  std::vector<TextRange> untrusted;
  /// What stood in {% generation %}: the turns of the assistant, if the template marks them.
  std::vector<TextRange> generation;
};

/// A chat template of a model directory, rendered as Hugging Face's transformers does. Immutable: several threads may
/// render it at once.
class ChatTemplate {
 public:
  /// `where` (a file) opens the message of errors. Error{data} for a template that Jinja2 would not compile, or that
  /// uses what docs/chat_templates.md excludes.
  explicit ChatTemplate(std::string source, std::string where);

  /// Error{data} with the template's line: what it raises (raise_exception), what Jinja2 would raise, a limit; also for
  /// messages that are no array of objects, or a last message that cannot be continued.
  RenderedChat render(const ChatInput& input) const;

  const std::string& source() const { return source_; }
  /// Whether it has {% generation %} tags.
  bool marks_generation() const { return marks_generation_; }

 private:
  std::string source_;
  std::string where_;
  std::shared_ptr<const jinja::Template> template_;
  bool marks_generation_ = false;
};

/// The name of the template that transformers chooses among several: "tool_use" when tools are given and it exists, else
/// "default". Error{data} when there is no such name.
std::string choose_chat_template(const std::vector<std::string>& names, bool has_tools, std::string_view where);

/// Which turns of the assistant are learned.
enum class ChatTurns { all, last };

/// A conversation to learn from.
struct ChatExample {
  RenderedChat chat;
  std::vector<TextRange> learned;  ///< what the assistant says, with the end of its turns
};

/// Renders `input` (add_generation_prompt is ignored) and finds the assistant's turns: what the template marks with
/// {% generation %}, else for each assistant message i what follows the rendering of the messages before it with a
/// generation prompt, up to the end of the rendering with it. Error{data} when one is not a prefix of the other (the
/// template rewrites earlier turns), naming the message. The last turn alone can be found in such templates too.
ChatExample chat_example(const ChatTemplate& chat_template, const ChatInput& input, ChatTurns turns = ChatTurns::all);

}  // namespace hone
