#include "data/duplicates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <unordered_map>

#include "base/error.h"
#include "base/random.h"
#include "base/threads.h"
#include "data/normalize.h"
#include "text/code_points.h"

namespace hone {

namespace {

constexpr std::size_t hash_count = 128;
constexpr std::size_t most_representatives = 16;  ///< of a bucket, that a text is compared with

std::uint64_t mixed(std::uint64_t value) {
  value ^= value >> 33;
  value *= 0xFF51AFD7ED558CCDull;
  value ^= value >> 33;
  value *= 0xC4CEB9FE1A85EC53ull;
  return value ^ value >> 33;
}

std::uint64_t hash_of(std::string_view text, std::uint64_t start = 0xCBF29CE484222325ull) {
  for (const char c : text) start = (start ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  return mixed(start);
}

/// Han, kana and their neighbours, which are written without spaces.
bool is_word_alone(char32_t point) {
  return (point >= 0x2E80 && point <= 0xA4CF) || (point >= 0xF900 && point <= 0xFAFF) ||
         (point >= 0x20000 && point <= 0x3FFFF);
}

std::vector<std::uint64_t> word_hashes(std::string_view text) {
  std::vector<std::uint64_t> hashes;
  std::size_t begin = 0;
  const auto end_word = [&](std::size_t end, std::size_t next) {
    if (end > begin) hashes.push_back(hash_of(normalized_text(text.substr(begin, end - begin))));
    begin = next;
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t here = at;
    const char32_t point = next_code_point(text, at);
    if (is_white_space(point)) {
      end_word(here, at);
    } else if (is_word_alone(point)) {
      end_word(here, here);
      end_word(at, at);
    }
  }
  end_word(text.size(), text.size());
  return hashes;
}

/// Hashes to a band.
std::size_t band_rows(double threshold) {
  for (std::size_t rows = hash_count; rows > 1; --rows) {
    const double bands = std::floor(static_cast<double>(hash_count) / static_cast<double>(rows));
    if (1 - std::pow(1 - std::pow(threshold, static_cast<double>(rows)), bands) >= 0.95) return rows;
  }
  return 1;
}

/// Texts divided into clusters that are named by their first text.
class Clusters {
 public:
  explicit Clusters(std::size_t count) : first_(count) { std::iota(first_.begin(), first_.end(), 0); }
  std::size_t first(std::size_t text) {
    while (first_[text] != text) text = first_[text] = first_[first_[text]];
    return text;
  }
  void join(std::size_t a, std::size_t b) {
    const std::size_t x = first(a), y = first(b);
    first_[std::max(x, y)] = std::min(x, y);
  }

 private:
  std::vector<std::size_t> first_;
};

/// One hash a band for every text: [text][band]. Texts without words have none that counts (`empty`).
struct BandHashes {
  std::size_t bands;
  std::vector<std::uint64_t> hashes;
  std::vector<std::uint8_t> empty;
};

BandHashes band_hashes(std::size_t count, const TextAt& text, std::size_t rows, std::size_t shingle) {
  BandHashes found{.bands = hash_count / rows, .hashes = {}, .empty = std::vector<std::uint8_t>(count, 0)};
  found.hashes.resize(count * found.bands);
  std::array<std::uint64_t, hash_count> factor, offset;
  Random random(stream_key(0, "minhash"));
  for (std::size_t i = 0; i < hash_count; ++i) factor[i] = random.next64() | 1, offset[i] = random.next64();
  parallel_for(static_cast<std::int64_t>(count), 32, [&](std::int64_t begin, std::int64_t end) {
    for (auto t = static_cast<std::size_t>(begin); t < static_cast<std::size_t>(end); ++t) {
      const std::vector<std::uint64_t> set = shingles(text(t), shingle);
      found.empty[t] = set.empty() ? 1 : 0;
      std::array<std::uint32_t, hash_count> least;
      least.fill(std::numeric_limits<std::uint32_t>::max());
      for (const std::uint64_t value : set) {
        for (std::size_t i = 0; i < hash_count; ++i) {
          least[i] = std::min(least[i], static_cast<std::uint32_t>((factor[i] * value + offset[i]) >> 32));
        }
      }
      for (std::size_t band = 0; band < found.bands; ++band) {
        std::uint64_t hash = band;
        for (std::size_t i = 0; i < rows; ++i) hash = mixed(hash * 31 + least[band * rows + i]);
        found.hashes[t * found.bands + band] = hash;
      }
    }
  });
  return found;
}

/// Compares the texts of a bucket, in their order, with the first ones that differ from each other.
template <class Bucket>
void join_alike(const Bucket& bucket, const TextAt& text, double threshold, std::size_t shingle, Clusters& clusters) {
  std::vector<std::pair<std::size_t, std::vector<std::uint64_t>>> representatives;
  for (const std::size_t t : bucket) {
    const auto same = [&](const auto& other) { return clusters.first(other.first) == clusters.first(t); };
    if (std::ranges::any_of(representatives, same)) continue;
    std::vector<std::uint64_t> set = shingles(text(t), shingle);
    bool joined = false;
    for (const auto& [other, other_set] : representatives) {
      if (jaccard(set, other_set) < threshold) continue;
      clusters.join(t, other);
      joined = true;
    }
    if (!joined && representatives.size() < most_representatives) representatives.emplace_back(t, std::move(set));
  }
}

}  // namespace

std::vector<std::size_t> first_equal(std::size_t count, const TextAt& text) {
  struct Hash {
    std::size_t operator()(const std::pair<std::uint64_t, std::uint64_t>& key) const { return key.first; }
  };
  std::unordered_map<std::pair<std::uint64_t, std::uint64_t>, std::size_t, Hash> seen;
  std::vector<std::size_t> first(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string plain = normalized_text(text(i));
    first[i] = seen.try_emplace({hash_of(plain), hash_of(plain, plain.size() + 1)}, i).first->second;
  }
  return first;
}

std::vector<std::uint64_t> shingles(std::string_view text, std::size_t shingle) {
  HONE_ASSERT(shingle > 0);
  const std::vector<std::uint64_t> words = word_hashes(text);
  const std::size_t length = std::min(shingle, words.size());
  std::vector<std::uint64_t> set;
  for (std::size_t i = 0; length > 0 && i + length <= words.size(); ++i) {
    std::uint64_t hash = 0;
    for (std::size_t j = i; j < i + length; ++j) hash = mixed(hash * 31 + words[j]);
    set.push_back(hash);
  }
  std::ranges::sort(set);
  const auto repeated = std::ranges::unique(set);
  set.erase(repeated.begin(), repeated.end());
  return set;
}

double jaccard(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  std::size_t common = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) ++common;
    const bool advance_a = a[i] <= b[j], advance_b = b[j] <= a[i];
    i += advance_a ? 1 : 0, j += advance_b ? 1 : 0;
  }
  const std::size_t all = a.size() + b.size() - common;
  return all == 0 ? 1.0 : static_cast<double>(common) / static_cast<double>(all);
}

std::vector<std::size_t> first_alike(std::size_t count, const TextAt& text, double threshold, std::size_t shingle) {
  HONE_ASSERT(threshold > 0 && threshold <= 1);
  const BandHashes bands = band_hashes(count, text, band_rows(threshold), shingle);
  Clusters clusters(count);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < count; ++i) {
    if (bands.empty[i] == 0) order.push_back(i);
  }
  for (std::size_t band = 0; band < bands.bands; ++band) {
    const auto hash = [&](std::size_t t) { return bands.hashes[t * bands.bands + band]; };
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
      return hash(a) < hash(b) || (hash(a) == hash(b) && a < b);
    });
    for (auto begin = order.begin(), end = begin; begin != order.end(); begin = end) {
      while (end != order.end() && hash(*end) == hash(*begin)) ++end;
      if (end - begin > 1) join_alike(std::span(begin, end), text, threshold, shingle, clusters);
    }
  }
  std::vector<std::size_t> first(count);
  for (std::size_t i = 0; i < count; ++i) first[i] = clusters.first(i);
  return first;
}

}  // namespace hone
