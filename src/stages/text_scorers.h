#pragma once

#include <filesystem>
#include <memory>

#include "flow/services.h"
#include "nn/model.h"
#include "text/tokenizer.h"

namespace hone {

/// Mean log-likelihood of a completion's tokens, its end-of-sequence included, given the prompt. Owns the frozen model;
/// `tokenizer` must outlive it. An empty completion scores its end-of-sequence alone. Of a conversation the answer is what
/// the chat template says the assistant's last turn is, its end included.
std::unique_ptr<TextScorer> likelihood_scorer(std::unique_ptr<Model> model, const Tokenizer& tokenizer);

/// The score head at the last token of prompt and completion together: the outputs of a reward model, with their names
/// where there are several; the log-odds of the last class against the others for a classifier. Conversations are read as
/// the chat template writes them, the completion as their last turn. Error{data} when the model has no such head.
std::unique_ptr<TextScorer> head_scorer(std::unique_ptr<Model> model, const Tokenizer& tokenizer);

/// A tokenizer's owner and a scorer that needs it, together: for models that bring their own tokenizer.
std::unique_ptr<TextScorer> with_tokenizer(std::unique_ptr<Tokenizer> tokenizer, std::unique_ptr<TextScorer> scorer);

}  // namespace hone
