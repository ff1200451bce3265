#pragma once

#include <cstdint>
#include <vector>

namespace hone {

struct CodePointRange {
  char32_t first = 0;
  char32_t last = 0;  ///< included
  bool operator==(const CodePointRange&) const = default;
  auto operator<=>(const CodePointRange&) const = default;
};

/// A set of Unicode scalar values (everything to U+10FFFF but the surrogates) as sorted ranges that do not touch.
class CodePointSet {
 public:
  CodePointSet() = default;
  /// Ranges in any order, which may overlap; surrogates are dropped.
  explicit CodePointSet(std::vector<CodePointRange> ranges);

  void add(const CodePointSet& other);
  CodePointSet complement() const;
  const std::vector<CodePointRange>& ranges() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }
  bool operator==(const CodePointSet&) const = default;
  auto operator<=>(const CodePointSet&) const = default;

 private:
  std::vector<CodePointRange> ranges_;
};

}  // namespace hone
