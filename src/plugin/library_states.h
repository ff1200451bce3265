#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "plugin/library_call.h"

namespace hone {

/// States of the open episodes of a plug-in's environment, between their steps. A cache: what it does not hold can be
/// made again by reset and the same steps. The states used last are kept alive; older ones are saved as bytes where the
/// plug-in can do that, and the oldest are dropped.
class LibraryStates {
 public:
  /// When a state can go on: after `turns` completions of this episode, which were those that `transcript` stands for.
  struct Place {
    std::uint64_t prompt_id = 0;
    std::int64_t sample = 0;
    std::uint64_t seed = 0;
    std::size_t turns = 0;
    std::uint64_t transcript = 0;
  };
  struct Limits {
    std::size_t alive = 1024;
    std::size_t saved = 16384;
  };

  LibraryStates(const hone_environment& table, void* instance, const LibrarySettings& settings, Limits limits);
  ~LibraryStates();
  LibraryStates(const LibraryStates&) = delete;
  LibraryStates& operator=(const LibraryStates&) = delete;

  /// Takes the state out; the caller puts another or closes it. Nothing when there is none at exactly this place. Error
  /// {service} when the plug-in cannot load what it saved. `beginning`: the episode before its first turn.
  std::optional<void*> take(const Place& place, const hone_item* beginning);
  /// Keeps a state in place of an earlier one of the episode.
  void put(const Place& place, void* state);
  /// Ends a state that nobody needs any more.
  void close(void* state) const;

 private:
  struct Kept {
    Place place;
    void* state = nullptr;
    std::optional<std::string> saved;  ///< then there is no state
  };
  using Key = std::tuple<std::uint64_t, std::int64_t, std::uint64_t>;
  using ByUse = std::list<Kept>;
  static Key key_of(const Place& place) { return {place.prompt_id, place.sample, place.seed}; }
  void forget(ByUse::iterator kept);
  void shrink();
  bool save(Kept& kept) const;
  void* load(const std::string& bytes, const hone_item* beginning) const;

  const hone_environment& table_;
  void* instance_;
  const LibrarySettings& settings_;
  Limits limits_;
  ByUse alive_;  ///< the latest first
  ByUse saved_;
  std::map<Key, ByUse::iterator> places_;
};

}  // namespace hone
