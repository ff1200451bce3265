#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/examples.h"
#include "predict/question_answering.h"

namespace hone {

/// How a question and a long context become windows that a model can read.
struct AnswerWindowRules {
  std::int64_t max_tokens = 384;  ///< of a window
  std::int64_t stride = 128;      ///< context tokens that neighbouring windows share
};

/// A question with the windows of its context.
struct AskedQuestion {
  std::string context;
  std::vector<ContextToken> tokens;
  std::vector<AnswerWindow> windows;
  std::vector<std::string> answers;  ///< none: the context does not say
};

/// The questions of a split, at most `most`, and one example a window, in their order: its span is the first answer, or
/// the window's first token where the answer is not wholly within it. Error{data} with file and line when a question
/// leaves no room for the context.
struct AskedQuestions {
  std::vector<AskedQuestion> questions;
  std::vector<TokenExample> examples;
};
AskedQuestions encode_questions(const Dataset& data, Split split, std::size_t most, const Tokenizer& tokenizer,
                                const ModelInput& input, const AnswerWindowRules& rules);

}  // namespace hone
