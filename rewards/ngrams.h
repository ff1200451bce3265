#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "flow/types.h"

namespace hone {

enum class Unit { tokens, words };
inline constexpr std::array<std::string_view, 2> unit_names{"tokens", "words"};

/// The n-grams of everything the policy wrote in an episode, turn after turn; none cross two turns. Words are what
/// stands between white space, with ASCII letters in lower case. Equal n-grams have equal keys as long as they come
/// from one NgramReader.
class NgramReader {
 public:
  NgramReader(Unit unit, std::int64_t n) : unit_(unit), n_(static_cast<std::size_t>(n)) {}
  std::vector<std::string> read(const Episode& episode);

 private:
  std::vector<std::int32_t> units(const Completion& completion);

  Unit unit_;
  std::size_t n_;
  std::unordered_map<std::string, std::int32_t> word_ids_;
};

}  // namespace hone
