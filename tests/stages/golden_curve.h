#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "policies/checkpoint.h"
#include "stages/tiny_run.h"
#include "stages/training.h"
#include "support/committed_golden.h"
#include "text/tokenizer_json.h"

/// What the tests share that follow a plain loop over a committed checkpoint step by step; a script of tools/golden ran
/// it and wrote {seed, steps, batch, learning_rate} and the series `loss` and `grad_norm`.
namespace hone::test {

/// A vocabulary of word pieces: the special tokens of BERT, then these.
inline std::unique_ptr<Tokenizer> wordpieces(const Scratch& scratch, const std::vector<std::string>& pieces) {
  std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (const std::string& piece : pieces) vocabulary += piece + "\n";
  std::filesystem::create_directory(scratch.path() / "letters");
  scratch.file("letters/vocab.txt", vocabulary);
  return load_tokenizer(scratch.path() / "letters");
}

/// The same of single characters.
inline std::unique_ptr<Tokenizer> letter_pieces(const Scratch& scratch, const std::string& letters) {
  std::vector<std::string> pieces;
  for (const char letter : letters) pieces.emplace_back(1, letter);
  return wordpieces(scratch, pieces);
}

/// The run goes on from that checkpoint of tests/golden/models.
inline void start_from(TinyRun& tiny, const std::string& checkpoint) {
  const std::filesystem::path folder = committed_golden_folder() / "models" / checkpoint;
  tiny.run.catalogs = &policy_table();
  tiny.run.policy = read_policy_spec(folder, policy_table());
  tiny.run.model = open_model(folder);
}

inline void set_steps(TrainingConfig& config, const Json& golden) {
  config.steps = golden.at("steps").as_integer();
  config.batch_size = golden.at("batch").as_integer();
  config.optimizer.learning_rate = golden.at("learning_rate").as_number();
}

inline double largest_gap(const Json& expected, const std::vector<double>& values) {
  REQUIRE(values.size() == expected.as_array().size());
  double gap = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    gap = std::max(gap, std::abs(values[i] - expected.as_array()[i].as_number()));
  }
  return gap;
}

/// The first step's loss is held to 1e-5, every loss to 2e-3 and every gradient norm to `norm_bound`.
inline void check_curve_of(TinyRun& tiny, const std::string& name, const Json& expected, double norm_bound) {
  const std::vector<double> loss = tiny.series("loss");
  const double largest = largest_gap(expected.at("loss"), loss);
  const double first = std::abs(loss[0] - expected.at("loss").as_array()[0].as_number());
  const double norm = largest_gap(expected.at("grad_norm"), tiny.series("grad_norm"));
  MESSAGE(name, ": loss ", first, " at first, ", largest, " at most; gradient norm ", norm, " at most");
  CHECK(first <= 1e-5);
  CHECK(largest <= 2e-3);
  CHECK(norm <= norm_bound);
}

}  // namespace hone::test
