#pragma once

#include <cstdint>
#include <string>

namespace hone {

/// What people ask of a task beside its input.
struct PredictOptions {
  std::int64_t top_k = 0;           ///< 0: what is usual for the task
  std::string aggregation = "none"; ///< token-classification: none, simple, first, average, max
  std::string pooling;              ///< embeddings; empty: as the directory says, else mean
  std::int64_t max_answer_length = 15;
  std::int64_t stride = 128;        ///< question-answering: tokens that windows share
};

}  // namespace hone
