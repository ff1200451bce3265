#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace hone {

/// What a model's config.json says about a task such as "summarization" or "translation_en_to_de" (T5).
struct TextTask {
  std::string prefix;                ///< comes before the text
  Json generation = Json::object();  ///< max_length, num_beams, … to generate with, as they stand there
};

/// `task_specific_params[task]`; without it the prefix is config's `prefix`, or empty. For "translation" and a model
/// with several translation tasks: Error{config} that lists them. Error{data} naming `source` for values of another
/// type.
TextTask read_text_task(const Json& config, std::string_view task, std::string_view source);

/// {"summary_text"}, {"translation_text"} or {"generated_text"}, by what the task begins with.
Json text_task_json(std::string_view task, std::string text);

}  // namespace hone
