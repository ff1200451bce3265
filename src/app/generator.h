#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/commands.h"
#include "engine/engine.h"
#include "nn/model.h"
#include "text/tokenizer.h"

namespace hone {

/// A model directory opened for generation.
struct Generator {
  /// `compute`: as --compute.
  Generator(const std::string& place, const std::string& compute);

  /// A request to continue ids, or with an encoder to read them.
  Request request(std::vector<std::int32_t> ids, std::uint64_t seed, std::uint64_t id, std::int64_t sample) const;
  /// The same of a text. Error{usage} for an empty one where the tokenizer has no bos token.
  Request request(const std::string& prompt, std::uint64_t seed, std::uint64_t id, std::int64_t sample) const;

  /// The command's sampling with what the directory and the flags add to it: end tokens, biases.
  SamplingConfig sampling(const GenerateCommand& command) const;
  /// The pattern or the choices that completions must match; null: anything. Error{usage} when both are given.
  std::shared_ptr<const Constraint> constraint(const GenerateCommand& command, const SamplingConfig& sampling) const;

  std::string directory;
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<Model> model;
  std::unique_ptr<Engine> engine;
};

}  // namespace hone
