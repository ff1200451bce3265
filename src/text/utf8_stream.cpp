#include "text/utf8_stream.h"

#include "base/utf8.h"

namespace hone {
namespace {

/// Bytes at the end of `text` that may yet become one character: at most three.
std::size_t unfinished(std::string_view text) {
  for (std::size_t length = 1; length <= 3 && length <= text.size(); ++length) {
    const std::string_view tail = text.substr(text.size() - length);
    const auto first = static_cast<unsigned char>(tail[0]);
    if (first < 0x80) return 0;
    if (first < 0xC0) continue;  // a continuation byte: look further back
    const std::size_t needed = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    // One broken part as a whole, not several, is what a longer input could still complete.
    return length < needed && valid_utf8(tail) == "\xEF\xBF\xBD" && first >= 0xC2 && first <= 0xF4 ? length : 0;
  }
  return 0;
}

}  // namespace

std::string Utf8Stream::push(std::string_view bytes) {
  held_ += bytes;
  const std::size_t keep = unfinished(held_);
  std::string result = valid_utf8(std::string_view(held_).substr(0, held_.size() - keep));
  held_.erase(0, held_.size() - keep);
  return result;
}

std::string Utf8Stream::finish() {
  std::string result = valid_utf8(held_);
  held_.clear();
  return result;
}

}  // namespace hone
