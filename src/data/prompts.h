#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "data/dataset.h"
#include "flow/services.h"

namespace hone {

/// The rows of a data set as prompts, for the `dataset` environment.
///
/// The prompt is the row's prompt, its messages before the last answer, or its text (the first `prompt_words` words,
/// if set; rows with no more words than that are left out). The reference is the `reference` column; without one the
/// label, else what demonstration() gives. The demonstration is the completion, the chosen answer, the last message if
/// the assistant wrote it, or the text behind the first words. Prompts may be asked for from several threads.
///
/// Error{data} when no row of the training split can be a prompt.
std::unique_ptr<PromptSource> make_prompt_source(std::shared_ptr<const Dataset> data);

/// The first `most` prompts of a split, each with the number of its row (Dataset::place). None when the split has no rows.
/// Error as make_prompt_source.
void for_each_prompt(std::shared_ptr<const Dataset> data, Split split, std::uint64_t most,
                     const std::function<void(const Prompt& prompt, std::size_t row)>& use);

}  // namespace hone
