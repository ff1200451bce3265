#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "flow/types.h"
#include "plugin/sdk/hone/plugin.h"

namespace hone {

/// Episodes as a plug-in sees them. Points into the episodes, which must outlive it.
class LibraryItems {
 public:
  /// The episode as it was when its first `turns` completions were there: an earlier moment, with the last of them not
  /// answered yet, when there are more.
  void add(const Episode& episode, std::uint64_t seed, std::size_t turns);
  void add(const Episode& episode, std::uint64_t seed) { add(episode, seed, episode.turns.size()); }

  const hone_item* const* data() const { return pointers_.data(); }
  std::size_t size() const { return pointers_.size(); }

 private:
  struct Entry {
    hone_item item{};
    std::string messages, reference, answer;
    std::vector<hone_turn> turns;
    std::vector<const hone_turn*> turn_pointers;
  };
  std::deque<Entry> entries_;
  std::vector<const hone_item*> pointers_;
};

}  // namespace hone
