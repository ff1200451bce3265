#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace hone {

/// What people ask of a task beside its input.
struct PredictOptions {
  std::int64_t top_k = 0;           ///< 0: what is usual for the task
  std::string aggregation = "none"; ///< token-classification: none, simple, first, average, max
  std::string pooling;              ///< embeddings; empty: as the directory says, else mean
  std::int64_t max_answer_length = 15;
  std::int64_t stride = 128;        ///< question-answering: tokens that windows share
  bool no_answer = false;           ///< question-answering: the context may not say (SQuAD 2)
  std::string from, to;             ///< translation: languages, both or none
  std::optional<std::string> prefix;  ///< summarization, translation: before the text, instead of config.json's
  std::int64_t beams = 0;           ///< the same; 0: as the directory says
  std::int64_t max_tokens = 0;      ///< the same
};

}  // namespace hone
