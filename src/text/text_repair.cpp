#include "text/text_repair.h"

#include "base/utf8.h"

#include <algorithm>

namespace hone {

TextRepair::TextRepair(std::string_view text) {
  borders_.push_back({0, 0});
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::min(first_invalid_utf8(text.substr(at)), text.size() - at);
    text_.append(text, at, length);
    at += length;
    if (at == text.size()) break;
    // A broken part is at most three bytes; it is as long as its replacement is the only one.
    std::size_t broken = 1;
    while (broken < 3 && at + broken < text.size() && first_invalid_utf8(text.substr(at + broken)) == 0 &&
           valid_utf8(text.substr(at, broken + 1)).size() == 3) {
      ++broken;
    }
    borders_.push_back({at, text_.size()});
    text_ += "\xEF\xBF\xBD";
    at += broken;
    borders_.push_back({at, text_.size()});
  }
}

TextRange TextRepair::forward(TextRange range) const {
  const auto map = [&](std::size_t place, bool is_end) {
    const auto next = std::upper_bound(borders_.begin(), borders_.end(), place,
                                       [](std::size_t p, const Border& b) { return p < b.broken; });
    const Border& before = *(next - 1);
    const bool inside = next != borders_.end() && place - before.broken > 0 &&
                        next->broken - before.broken != next->valid - before.valid;
    if (inside) return is_end ? next->valid : before.valid;
    return before.valid + (place - before.broken);
  };
  return {map(range.begin, false), map(range.end, true)};
}

TextRange TextRepair::back(TextRange range) const {
  const auto map = [&](std::size_t place) {
    const auto next = std::upper_bound(borders_.begin(), borders_.end(), place,
                                       [](std::size_t p, const Border& b) { return p < b.valid; });
    const Border& before = *(next - 1);
    return before.broken + (place - before.valid);
  };
  return {map(range.begin), map(range.end)};
}

std::vector<TextRange> bytes_from(const AlignedText& text, std::span<const TextRange> ranges) {
  std::vector<TextRange> result;
  auto range = ranges.begin();
  for (std::size_t at = 0; at < text.text().size() && range != ranges.end(); ++at) {
    const TextRange origin = text.origin(at, at + 1);
    while (range != ranges.end() && range->end <= origin.begin) ++range;
    if (range == ranges.end() || range->begin >= origin.end) continue;
    if (!result.empty() && result.back().end == at) {
      ++result.back().end;
    } else {
      result.push_back({at, at + 1});
    }
  }
  return result;
}

}  // namespace hone
