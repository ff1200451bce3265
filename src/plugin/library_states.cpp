#include "plugin/library_states.h"

#include "base/error.h"

namespace hone {

LibraryStates::LibraryStates(const hone_environment& table, void* instance, const LibrarySettings& settings,
                             Limits limits)
    : table_(table), instance_(instance), settings_(settings), limits_(limits) {}

LibraryStates::~LibraryStates() {
  for (const Kept& kept : alive_) close(kept.state);
}

void LibraryStates::close(void* state) const {
  if (table_.close == nullptr || table_.reset == nullptr) return;
  try {
    table_.close(instance_, state);
  } catch (...) {
    log_warn("{}: the plug-in threw an exception while it closed an episode", settings_.name);
  }
}

std::optional<void*> LibraryStates::take(const Place& place, const hone_item* beginning) {
  const auto found = places_.find(key_of(place));
  if (found == places_.end()) return std::nullopt;
  const ByUse::iterator kept = found->second;
  if (kept->place.turns != place.turns || kept->place.transcript != place.transcript) return std::nullopt;
  const Kept taken = std::move(*kept);
  (taken.saved ? saved_ : alive_).erase(kept);
  places_.erase(found);
  return taken.saved ? load(*taken.saved, beginning) : taken.state;
}

void LibraryStates::put(const Place& place, void* state) {
  const auto old = places_.find(key_of(place));
  if (old != places_.end()) forget(old->second);
  alive_.push_front({.place = place, .state = state});
  places_[key_of(place)] = alive_.begin();
  shrink();
}

void LibraryStates::forget(ByUse::iterator kept) {
  places_.erase(key_of(kept->place));
  if (kept->saved) {
    saved_.erase(kept);
    return;
  }
  close(kept->state);
  alive_.erase(kept);
}

void LibraryStates::shrink() {
  while (alive_.size() > limits_.alive) {
    const ByUse::iterator oldest = std::prev(alive_.end());
    if (limits_.saved == 0 || !save(*oldest)) {
      forget(oldest);
      continue;
    }
    saved_.splice(saved_.begin(), alive_, oldest);
    if (saved_.size() > limits_.saved) forget(std::prev(saved_.end()));
  }
}

/// Turns the state into bytes and closes it; false when the plug-in cannot.
bool LibraryStates::save(Kept& kept) const {
  if (table_.state_save == nullptr) return false;
  hone_call call(settings_);
  const std::string failure = call.run([&] { return table_.state_save(instance_, &call, kept.state); });
  if (!failure.empty()) {
    log_warn("{}: state_save: {}; the episode's steps will be repeated", settings_.name, failure);
    return false;
  }
  kept.saved = std::move(call.state);
  close(kept.state);
  kept.state = nullptr;
  return true;
}

void* LibraryStates::load(const std::string& bytes, const hone_item* beginning) const {
  hone_call call(settings_);
  void* state = nullptr;
  const std::string failure =
      call.run([&] { return table_.state_load(instance_, &call, beginning, bytes.data(), bytes.size(), &state); });
  if (!failure.empty()) fail(ErrorKind::service, "state_load: {}", failure);
  return state;
}

}  // namespace hone
