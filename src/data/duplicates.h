#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// Text i of a collection; valid UTF-8. Called from several threads at once.
using TextAt = std::function<std::string(std::size_t)>;

/// For each text the first one whose normalized_text is the same, often itself.
std::vector<std::size_t> first_equal(std::size_t count, const TextAt& text);

/// Hashes of the runs of `shingle` words of a text, ascending and distinct; of a shorter text of all its words. Words
/// stand between white space, without case and punctuation; a character of a script without spaces is a word.
std::vector<std::uint64_t> shingles(std::string_view text, std::size_t shingle);

/// |a ∩ b| / |a ∪ b| of two such lists; 1 when both are empty.
double jaccard(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b);

/// For each text the first one of its cluster, often itself. Two texts whose shingles have a Jaccard similarity ≥
/// `threshold` in (0, 1] are in one cluster, and so are those that a chain of such pairs connects.
///
/// Candidates come from MinHash (Broder 1997) with bands: 128 hashes, as many to a band as find a pair at the threshold
/// with a chance of 95 %, and a more similar one almost surely. Each candidate is compared exactly. Texts without words
/// are in no cluster. O(n log n); 8 bytes × bands (at most 128) a text.
std::vector<std::size_t> first_alike(std::size_t count, const TextAt& text, double threshold, std::size_t shingle);

}  // namespace hone
