#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/dataset.h"
#include "text/tokenizer.h"

namespace hone {

struct AuditOptions {
  const Tokenizer* tokenizer = nullptr;  ///< none: lengths in tokens are not told
  std::int64_t context = 0;              ///< tokens that fit; 0: what would be cut is not told
  double near = 0.8;                     ///< Jaccard similarity from which texts are nearly the same
  std::int64_t shingle = 3;
};

/// Of training and of held-out rows, by Split.
using BySplit = std::array<std::int64_t, 2>;

/// Lengths of the rows of one split in one unit.
struct LengthSummary {
  std::string split, unit;  ///< "training", "characters"
  std::int64_t least = 0, median = 0, p90 = 0, p99 = 0, most = 0;
  double mean = 0;
};

/// Rows in which something was found, and where the first of them are.
struct AuditFinding {
  std::string what;  ///< "held-out rows that training rows repeat"
  BySplit rows{};
  std::vector<std::string> places;  ///< at most 3
};

/// What a data set is like before anything learns from it.
struct DataAudit {
  std::string name;
  std::string_view shape;
  BySplit rows{};
  std::map<std::string, BySplit> labels;   ///< of shapes that have classes
  std::map<std::string, BySplit> scripts;  ///< rows by the script of most letters
  std::vector<LengthSummary> lengths;
  std::vector<AuditFinding> findings;  ///< duplicates, leakage, encoding, truncation; those with rows only
  std::int64_t cut_tokens = 0;         ///< beyond the context, of both splits

  Json to_json() const;
};

/// Texts of a row count together (whole_text), so do their tokens with what the tokenizer adds. O(n log n).
DataAudit audit(const Dataset& data, const AuditOptions& options);

}  // namespace hone
