#include "text/normal_forms.h"

#include "text/code_points.h"
#include "text/normal_form_tables.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace hone {
namespace {

// Hangul syllables compose by arithmetic (The Unicode Standard, section 3.12).
constexpr char32_t kS = 0xAC00, kL = 0x1100, kV = 0x1161, kT = 0x11A7;
constexpr char32_t kLCount = 19, kVCount = 21, kTCount = 28, kSCount = kLCount * kVCount * kTCount;

bool is_syllable(char32_t point) { return point >= kS && point < kS + kSCount; }

using Decompositions = std::unordered_map<char32_t, std::u32string>;

void append_canonical(char32_t point, std::u32string& out) {
  for (const auto table : {compositions(), other_decompositions()}) {
    const auto row = std::lower_bound(table.begin(), table.end(), point,
                                      [](const Decomposition& d, char32_t p) { return d.composed < p; });
    if (row == table.end() || row->composed != point) continue;
    append_canonical(row->first, out);
    if (row->second != 0) append_canonical(row->second, out);
    return;
  }
  out.push_back(point);
}

const Decompositions& canonical_decompositions() {
  static const Decompositions result = [] {
    Decompositions full;
    for (const auto table : {compositions(), other_decompositions()}) {
      for (const Decomposition& row : table) append_canonical(row.composed, full[row.composed]);
    }
    return full;
  }();
  return result;
}

const Decompositions& compatibility_decompositions() {
  static const Decompositions result = [] {
    Decompositions full = canonical_decompositions();
    for (const auto rows : {compatibility_first(), compatibility_second()}) {
      for (std::size_t i = 0; i < rows.size(); i += 2 + rows[i + 1]) {
        const auto parts = rows.subspan(i + 2, rows[i + 1]);
        full[rows[i]].assign(parts.begin(), parts.end());
      }
    }
    return full;
  }();
  return result;
}

void append_decomposed(char32_t point, const Decompositions& decompositions, std::u32string& out) {
  if (point < 0xA0) {
    out.push_back(point);
  } else if (is_syllable(point)) {
    const char32_t index = point - kS;
    out.push_back(kL + index / (kVCount * kTCount));
    out.push_back(kV + index % (kVCount * kTCount) / kTCount);
    if (index % kTCount != 0) out.push_back(kT + index % kTCount);
  } else if (const auto found = decompositions.find(point); found != decompositions.end()) {
    out += found->second;
  } else {
    out.push_back(point);
  }
}

/// 0 when the two do not compose.
char32_t compose(char32_t first, char32_t second) {
  if (first >= kL && first < kL + kLCount && second >= kV && second < kV + kVCount) {
    return kS + ((first - kL) * kVCount + (second - kV)) * kTCount;
  }
  if (is_syllable(first) && (first - kS) % kTCount == 0 && second > kT && second < kT + kTCount) {
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

/// A code point of the new text, and how it replaces old ones: TextRewrite::put.
struct Change {
  char32_t point;
  int change;
};

std::vector<Change> decomposed(std::string_view text, const Decompositions& decompositions) {
  std::vector<Change> changes;
  changes.reserve(text.size());
  std::u32string parts;
  for (std::size_t at = 0; at < text.size();) {
    parts.clear();
    append_decomposed(next_code_point(text, at), decompositions, parts);
    for (std::size_t i = 0; i < parts.size(); ++i) changes.push_back({parts[i], i > 0 ? 1 : 0});
  }
  return changes;
}

/// Marks after each starter in the order of their classes.
void order_marks(std::vector<Change>& changes) {
  for (auto begin = changes.begin(); begin != changes.end();) {
    if (begin->point < 0x300 || combining_class(begin->point) == 0) {
      ++begin;
      continue;
    }
    const auto end = std::find_if(begin, changes.end(), [](Change c) { return combining_class(c.point) == 0; });
    std::stable_sort(begin, end,
                     [](Change a, Change b) { return combining_class(a.point) < combining_class(b.point); });
    begin = end;
  }
}

std::vector<Change> composed(const std::vector<Change>& changes) {
  std::vector<Change> result;
  result.reserve(changes.size());
  std::size_t starter = 0;  // index in `result`
  bool has_starter = false;
  int last_class = 0;  // of the last mark that stayed after the starter
  for (const Change next : changes) {
    const int next_class = next.point < 0x300 ? 0 : combining_class(next.point);
    const bool adjacent = has_starter && starter + 1 == result.size();
    if (next.point >= 0x300 && has_starter && (adjacent || last_class < next_class)) {
      if (const char32_t joined = compose(result[starter].point, next.point); joined != 0) {
        result[starter] = {joined, result[starter].change + next.change - 1};
        continue;
      }
    }
    if (next_class == 0) {
      starter = result.size();
      has_starter = true;
    }
    last_class = next_class;
    result.push_back(next);
  }
  return result;
}

}  // namespace

int combining_class(char32_t point) {
  if (point < 0x300) return 0;
  const auto ranges = combining_ranges();
  const auto range = std::upper_bound(ranges.begin(), ranges.end(), point,
                                      [](char32_t p, const CombiningRange& r) { return p < r.first; });
  return range != ranges.begin() && point <= (range - 1)->last ? (range - 1)->combining_class : 0;
}

void append_decomposition(char32_t point, std::u32string& out) {
  append_decomposed(point, canonical_decompositions(), out);
}

void NormalFormNormalizer::normalize(AlignedText& text) const {
  if (is_surely_normal(text.text())) return;
  const bool compatible = form_ == NormalForm::nfkc || form_ == NormalForm::nfkd;
  auto changes = decomposed(text.text(), compatible ? compatibility_decompositions() : canonical_decompositions());
  order_marks(changes);
  if (form_ == NormalForm::nfc || form_ == NormalForm::nfkc) changes = composed(changes);
  TextRewrite rewrite(text);
  for (const Change change : changes) rewrite.put(change.point, change.change);
  rewrite.finish();
}

bool NormalFormNormalizer::is_surely_normal(std::string_view text) const {
  // Nothing below U+0300 changes in form C, whatever follows it but a mark; for the others that is true of ASCII.
  const unsigned bound = form_ == NormalForm::nfc ? 0xCC : 0x80;
  return std::all_of(text.begin(), text.end(), [bound](char c) { return static_cast<unsigned char>(c) < bound; });
}

std::string to_nfc(std::string_view text) {
  AlignedText aligned(text, false);
  NormalFormNormalizer(NormalForm::nfc).normalize(aligned);
  return aligned.text();
}

bool is_surely_nfc(std::string_view text) {
  return NormalFormNormalizer(NormalForm::nfc).is_surely_normal(text);
}

}  // namespace hone
