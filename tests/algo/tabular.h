#pragma once

#include "algo/packed.h"

#include "algo/loss_rows.h"

#include <map>
#include <string>
#include <vector>

namespace hone::test {

/// Every sequence that a policy over four tokens can write in three steps, packed as a batch: a prompt row, the tokens,
/// and the last row that predicts nothing. Token 3 ends a sequence; three tokens without it are truncated.
struct TabularTask {
  static constexpr std::int64_t kTokens = 4, kHorizon = 3, kEnd = 3;
  std::vector<std::vector<std::int64_t>> sequences;
  at::Tensor state_T, token_T, mask_T, start_S1, truncated_S;  ///< state_T: index of the prefix that a row has seen
  std::int64_t states = 0;

  explicit TabularTask(std::int64_t horizon = kHorizon) {
    extend({}, horizon);
    std::map<std::vector<std::int64_t>, std::int64_t> state_of;
    std::vector<std::int64_t> state, token, lengths;
    std::vector<double> mask, truncated;
    for (const auto& sequence : sequences) {
      std::vector<std::int64_t> prefix;
      for (const auto next : sequence) {
        state.push_back(state_of.emplace(prefix, static_cast<std::int64_t>(state_of.size())).first->second);
        token.push_back(next);
        mask.push_back(1);
        prefix.push_back(next);
      }
      state.push_back(0), token.push_back(0), mask.push_back(0);
      lengths.push_back(static_cast<std::int64_t>(sequence.size()) + 1);
      truncated.push_back(sequence.back() == kEnd ? 0 : 1);
    }
    states = static_cast<std::int64_t>(state_of.size());
    state_T = at::tensor(state, at::kLong);
    token_T = at::tensor(token, at::kLong);
    mask_T = at::tensor(mask, at::kFloat);
    truncated_S = at::tensor(truncated, at::kDouble) != 0;
    start_S1 = starts_of(lengths);
  }

  /// log-softmax(logits / temperature)[token] of each row, [T]; logits is [states, 4].
  at::Tensor logprob_T(const at::Tensor& logits, double temperature) const {
    const auto rows = (logits / temperature).log_softmax(1).index_select(0, state_T);
    return rows.gather(1, token_T.unsqueeze(1)).squeeze(1);
  }
  /// Σ over the rows of each sequence of what the mask counts, [S].
  at::Tensor by_sequence(const at::Tensor& stream_T) const {
    const auto counted = (stream_T * mask_T).to(at::kDouble);
    return at::zeros({start_S1.size(0) - 1}, at::kDouble).index_add(0, sequence_of_rows(start_S1), counted);
  }

 private:
  void extend(std::vector<std::int64_t> prefix, std::int64_t left) {
    if (left == 0 || (!prefix.empty() && prefix.back() == kEnd)) {
      sequences.push_back(std::move(prefix));
      return;
    }
    for (std::int64_t token = 0; token < kTokens; ++token) {
      auto longer = prefix;
      longer.push_back(token);
      extend(std::move(longer), left - 1);
    }
  }
};

}  // namespace hone::test
