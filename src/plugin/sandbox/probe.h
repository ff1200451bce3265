#pragma once

#include "io/file.h"
#include "plugin/sandbox/supervisor.h"

namespace hone::sandbox {

/// Tries the isolations of the settings in order and takes the first in which a program, run like any other, fails to
/// break every property of layers.h. One that breaks some is taken only when `allow_weaker` names all of these.
/// Error{service} that names for each isolation what is missing, and what a person can do. For a process of one thread.
Launch choose(const Settings& settings);

/// User and group ids of sandbox `number` (0 … most_slots - 1): this process's own, or, for root, one of a block that
/// no other launcher on this machine uses.
inline constexpr int most_slots = 64;
class Slots {
 public:
  Slots();
  Slot slot(int number) const;

 private:
  bool root_ = false;
  unsigned base_ = 0;
  FileDescriptor reservation_;
};

}  // namespace hone::sandbox
