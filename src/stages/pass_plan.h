#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/fields.h"
#include "nn/model.h"
#include "stages/pass_memory.h"
#include "stages/trainer_state.h"

namespace hone {

/// Most tokens that are computed at once: a number of the file, or as many as are of use where memory allows.
struct TokensPerPass {
  /// More are no faster: the products of a pass are as fast as they get, and what it reads and writes of weights and
  /// gradients is little beside them (docs/optimization.md).
  static constexpr std::int64_t of_use = 2048;

  TokensPerPass() = default;
  TokensPerPass(std::int64_t tokens) : given(tokens) {}
  operator std::int64_t() const { return given.value_or(of_use); }

  std::optional<std::int64_t> given;
};

/// The keys that say how much is computed and held at once.
void describe_passes(Fields& f, TokensPerPass& tokens_per_pass, bool& gradient_checkpointing, std::string& memory);

/// How the gradient of a step is cut into passes. Found once, when a stage begins; a resumed stage keeps it, since sums
/// over other passes are rounded otherwise.
struct PassPlan {
  std::int64_t tokens = 0;  ///< most of a pass; a longer row is a pass of its own
  bool recompute = false;   ///< blocks are computed again in the backward pass

  /// To be called once the model has it.
  void apply(Model& model) const { model.store.set_gradient_checkpointing(recompute); }
  void exchange(TrainerState& state);
};

/// What the file asks for.
struct PassWishes {
  TokensPerPass tokens_per_pass;
  bool gradient_checkpointing = false;
  std::string memory = "auto";
  double dropout = 0;
};

/// What a stage is going to need.
struct PassNeeds {
  std::int64_t step_tokens = 0;  ///< most that one optimizer step may have; 0: not known
  std::int64_t longest = 1;      ///< tokens of the longest row: no pass is smaller
  std::int64_t later = 0;        ///< bytes that the stage will take beside passes, and does not hold yet
};

/// Plans a stage's passes by the memory that the program may take, after a measurement of the model; tells the log.
/// Error{config} when not even the smallest pass fits, or when the number of the file does not.
PassPlan plan_passes(Model& model, const PassWishes& wishes, const PassNeeds& needs, const std::string& stage);

/// What the program may take beside what it holds.
struct MemoryRoom {
  std::int64_t held = 0;
  std::int64_t room = 0;   ///< less than 0: it holds more than it may
  std::string allowed;     ///< for people: "memory: 8GiB", "80 % of the 12 GiB that are free"
};

/// The decision alone. `measured` is called with false, and with true when that does not fit.
PassPlan decide_passes(const PassWishes& wishes, const PassNeeds& needs, const MemoryRoom& memory,
                       const std::function<PassMemory(bool recompute)>& measured, const std::string& stage);

}  // namespace hone
