#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace hone {

/// What is asked of a model beside the text.
struct TextTaskWish {
  std::string task;                    ///< "summarization", "translation" or "translation_en_to_de"
  std::string from, to;                ///< languages of a translation, both or none: "en" and "de", "English" and "German"
  std::optional<std::string> prefix;   ///< instead of the one that config.json says
};

/// What a model's config.json says about a task (T5).
struct TextTask {
  std::string prefix;                ///< comes before the text
  Json generation = Json::object();  ///< max_length, num_beams, … to generate with, as they stand there
};

/// `task_specific_params[task]`; without it the prefix is config's `prefix`, or empty. Languages name the translation
/// task of these codes or with the prefix "translate English to German: "; for a model that lists no translation task
/// they make that prefix. Error{config} that lists the model's translation tasks when it has others, or several and
/// none is named. Error{data} naming `source` for values of another type.
TextTask read_text_task(const Json& config, const TextTaskWish& wish, std::string_view source);

/// {"summary_text"}, {"translation_text"} or {"generated_text"}, by what the task begins with.
Json text_task_json(std::string_view task, std::string text);

}  // namespace hone
