#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "kernels/calibrate/calibrate.h"
#include "nn/model.h"

/// What `hone bench` measures on one model: rates, and how much of them the machine could give.
namespace hone {

/// Work and memory traffic of one token of a dense model; a mixture of experts counts all its experts.
struct TokenWork {
  double trunk = 0;         ///< multiply-adds of matrix products below the LM head
  double lm_head = 0;       ///< and of its own
  double weight_bytes = 0;  ///< that a decode step reads
  double multiply_adds() const { return trunk + lm_head; }
};
TokenWork token_work(const Model& model);

struct BenchShape {
  std::int64_t batch = 32;     ///< sequences that are generated together
  std::int64_t prompt = 32;    ///< tokens of each prompt
  std::int64_t new_tokens = 128;
  std::int64_t rows = 8;       ///< sequences of a training step
  std::int64_t length = 256;   ///< tokens of each
};

/// One measured row. A rate is a number of tokens a second, or of what `unit` says; `limit` is what the calibrated
/// machine allows.
struct BenchFigure {
  std::string name;
  std::string unit = "tokens/s";
  std::vector<double> rates;  ///< one a repetition
  double limit = 0;           ///< in the same unit; 0: none is known
  std::string limited_by;
};

/// Several completions of each prompt, which is computed once.
struct SharedPromptShape {
  std::int64_t prompts = 8;
  std::int64_t prompt = 512;          ///< tokens of each
  std::vector<std::int64_t> lengths;  ///< tokens of each completion, prompt by prompt; a multiple of `prompts`
};
/// 16 completions of each of 8 prompts, of log-normal lengths: exp(N(4, 0.8)), clipped to 8 … 256.
SharedPromptShape log_normal_completions();

/// Prompts computed (no sampling), tokens decoded after the first, and all new tokens over the time of both: three
/// figures a repetition. Random ids; no completion ends early.
std::vector<BenchFigure> bench_generation(Engine& engine, const Model& model, const BenchShape& shape,
                                          const kernels::Calibration& peak, int repetitions);

/// New tokens a second where completions share their prompts and end at different times, and how many tokens of prompts
/// would have been computed without sharing for each that was.
std::vector<BenchFigure> bench_shared_prompts(Engine& engine, const Model& model, const SharedPromptShape& shape,
                                              const kernels::Calibration& peak, int repetitions);

/// Log-probabilities of given tokens, without gradients, and the memory that the first pass added, in MiB.
std::vector<BenchFigure> bench_scoring(Model& model, const BenchShape& shape, const kernels::Calibration& peak,
                                       int repetitions);

/// Whole optimizer steps of next-token prediction with AdamW, the optimizer's share of them as values a second, and
/// AdamW's own pass over the same arenas alone. The model's weights change.
std::vector<BenchFigure> bench_training(Model& model, const BenchShape& shape, const kernels::Calibration& peak,
                                        int repetitions);

/// Tokens drawn with top-p 0.9 from logits of that many ids, log-probabilities kept.
BenchFigure bench_sampling(std::int64_t batch, std::int64_t vocabulary, const kernels::Calibration& peak,
                           int repetitions);

}  // namespace hone
