#include "text/nfc.h"

#include "text/code_points.h"
#include "text/nfc_tables.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace hone {
namespace {

// Hangul syllables compose by arithmetic (The Unicode Standard, section 3.12).
constexpr char32_t kS = 0xAC00, kL = 0x1100, kV = 0x1161, kT = 0x11A7;
constexpr char32_t kLCount = 19, kVCount = 21, kTCount = 28, kSCount = kLCount * kVCount * kTCount;
constexpr char32_t kFirstChange = 0x300;  // below it every character is in form C, whatever follows it but a mark

int combining_class(char32_t point) {
  const auto ranges = combining_ranges();
  const auto range = std::upper_bound(ranges.begin(), ranges.end(), point,
                                      [](char32_t p, const CombiningRange& r) { return p < r.first; });
  return range != ranges.begin() && point <= (range - 1)->last ? (range - 1)->combining_class : 0;
}

void decompose(char32_t point, std::vector<char32_t>& out) {
  if (point >= kS && point < kS + kSCount) {
    const char32_t index = point - kS;
    out.push_back(kL + index / (kVCount * kTCount));
    out.push_back(kV + index % (kVCount * kTCount) / kTCount);
    if (index % kTCount != 0) out.push_back(kT + index % kTCount);
    return;
  }
  for (const auto table : {compositions(), other_decompositions()}) {
    const auto row = std::lower_bound(table.begin(), table.end(), point,
                                      [](const Decomposition& d, char32_t p) { return d.composed < p; });
    if (row == table.end() || row->composed != point) continue;
    decompose(row->first, out);
    if (row->second != 0) decompose(row->second, out);
    return;
  }
  out.push_back(point);
}

/// 0 when the two do not compose.
char32_t compose(char32_t first, char32_t second) {
  if (first >= kL && first < kL + kLCount && second >= kV && second < kV + kVCount) {
    return kS + ((first - kL) * kVCount + (second - kV)) * kTCount;
  }
  if (first >= kS && first < kS + kSCount && (first - kS) % kTCount == 0 && second > kT && second < kT + kTCount) {
    return first + (second - kT);
  }
  static const auto pairs = [] {
    std::unordered_map<std::uint64_t, char32_t> result;
    for (const Decomposition& d : compositions()) {
      result.emplace(static_cast<std::uint64_t>(d.first) << 32 | d.second, d.composed);
    }
    return result;
  }();
  const auto found = pairs.find(static_cast<std::uint64_t>(first) << 32 | second);
  return found == pairs.end() ? 0 : found->second;
}

/// Marks after each starter in the order of their classes.
void order_marks(std::vector<char32_t>& points) {
  for (auto begin = points.begin(); begin != points.end();) {
    if (combining_class(*begin) == 0) {
      ++begin;
      continue;
    }
    const auto end = std::find_if(begin, points.end(), [](char32_t p) { return combining_class(p) == 0; });
    std::stable_sort(begin, end, [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
    begin = end;
  }
}

}  // namespace

bool is_surely_nfc(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0xCC; });
}

std::string to_nfc(std::string_view text) {
  static_assert(kFirstChange == 0x300, "is_surely_nfc tests for lead bytes below 0xCC, U+0300 being CC 80");
  std::vector<char32_t> points;
  for (std::size_t at = 0; at < text.size();) decompose(next_code_point(text, at), points);
  order_marks(points);
  std::vector<char32_t> composed;
  std::size_t starter = 0;  // index in `composed`; its size: none yet
  bool has_starter = false;
  int last_class = 0;  // of the last mark that stayed after the starter
  for (const char32_t point : points) {
    const int point_class = combining_class(point);
    const bool adjacent = has_starter && starter + 1 == composed.size();
    if (has_starter && (adjacent || last_class < point_class)) {
      if (const char32_t joined = compose(composed[starter], point); joined != 0) {
        composed[starter] = joined;
        continue;
      }
    }
    if (point_class == 0) {
      starter = composed.size();
      has_starter = true;
    }
    last_class = point_class;
    composed.push_back(point);
  }
  std::string result;
  for (const char32_t point : composed) append_utf8(result, point);
  return result;
}

}  // namespace hone
