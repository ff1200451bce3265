#pragma once

#include <memory>
#include <optional>
#include <string>

#include "flow/environment.h"
#include "plugin/library_instance.h"
#include "plugin/library_states.h"

namespace hone {

/// An environment of a shared library, called within this process: a plug-in that crashes takes the process along.
///
/// The plug-in keeps a state for each open episode, and flow's step is a function of the whole episode: a state that is
/// not there, after a resume or in another process, is made again by reset and the earlier steps. A plug-in that then
/// answers otherwise than the first time fails the step.
class LibraryEnvironment : public Environment {
 public:
  /// Error{service} when the plug-in cannot start, Error{config} when the library has no environment.
  LibraryEnvironment(std::shared_ptr<Library> library, LibrarySettings settings, LibraryStates::Limits limits = {});

  std::uint64_t size(Split split) const override { return split == Split::train ? train_ : held_out_; }
  bool deterministic() const { return table_.deterministic != 0; }

  /// Error{service} when the plug-in fails to make it.
  Prompt prompt(Split split, std::uint64_t index) const override;
  std::optional<std::string> demonstration(const Prompt& prompt) const override;
  WirePrompt prompt(Split split, std::uint64_t index, std::uint64_t seed) const;

  /// What fails is in Step::failure.
  Step step(const Episode& episode) override;
  Step step(const Episode& episode, std::uint64_t seed);

 private:
  std::uint64_t ask_size(std::int32_t split) const;
  std::uint64_t prompt_seed(Split split, std::uint64_t index) const;
  void* state_before(const Episode& episode, std::uint64_t seed);
  Step replay(void* state, const Episode& episode, std::uint64_t seed, std::size_t turns) const;

  std::shared_ptr<Library> library_;
  const hone_environment& table_;
  LibrarySettings settings_;
  std::string who_;
  LibraryInstance instance_;
  LibraryStates states_;
  std::uint64_t train_, held_out_;
};

}  // namespace hone
