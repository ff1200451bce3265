#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace hone {

/// Offsets in bytes as offsets in code points, which is what results name.
class CharacterOffsets {
 public:
  explicit CharacterOffsets(std::string_view text) {
    before_.reserve(text.size() + 1);
    std::int64_t count = 0;
    for (const char byte : text) {
      before_.push_back(count);
      count += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
    }
    before_.push_back(count);
  }
  /// Code points that begin before this byte; byte ≤ size of the text.
  std::int64_t at(std::size_t byte) const { return before_[byte]; }

 private:
  std::vector<std::int64_t> before_;
};

}  // namespace hone
