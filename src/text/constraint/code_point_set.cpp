#include "text/constraint/code_point_set.h"

#include <algorithm>

namespace hone {
namespace {

constexpr char32_t kBeforeSurrogates = 0xD7FF;
constexpr char32_t kAfterSurrogates = 0xE000;
constexpr char32_t kLast = 0x10FFFF;

/// Appends what is left of the range when the surrogates are taken out.
void append_scalars(std::vector<CodePointRange>& out, char32_t first, char32_t last) {
  if (first <= kBeforeSurrogates) out.push_back({first, std::min(last, kBeforeSurrogates)});
  if (last >= kAfterSurrogates) out.push_back({std::max(first, kAfterSurrogates), last});
}

}  // namespace

CodePointSet::CodePointSet(std::vector<CodePointRange> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<CodePointRange> joined;
  for (const CodePointRange& range : ranges) {
    if (!joined.empty() && range.first <= joined.back().last + 1) {
      joined.back().last = std::max(joined.back().last, range.last);
    } else {
      joined.push_back(range);
    }
  }
  for (const CodePointRange& range : joined) append_scalars(ranges_, range.first, range.last);
}

void CodePointSet::add(const CodePointSet& other) {
  std::vector<CodePointRange> all = ranges_;
  all.insert(all.end(), other.ranges_.begin(), other.ranges_.end());
  *this = CodePointSet(std::move(all));
}

CodePointSet CodePointSet::complement() const {
  CodePointSet rest;
  char32_t next = 0;
  for (const CodePointRange& range : ranges_) {
    if (range.first > next) append_scalars(rest.ranges_, next, range.first - 1);
    next = range.last + 1;
  }
  if (next <= kLast) append_scalars(rest.ranges_, next, kLast);
  return rest;
}

}  // namespace hone
