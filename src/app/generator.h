#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/engine.h"
#include "nn/model.h"
#include "text/tokenizer.h"

namespace hone {

/// A model directory opened for generation.
struct Generator {
  explicit Generator(const std::string& directory);

  /// A request to continue a text. Error{usage} for an empty one where the tokenizer has no bos token.
  Request request(const std::string& prompt, std::uint64_t seed, std::uint64_t id, std::int64_t sample) const;

  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<Model> model;
  std::unique_ptr<Engine> engine;
};

}  // namespace hone
