#include "text/unigram_trainer_seeds.h"

#include "text/code_points.h"

#include <algorithm>
#include <bit>
#include <map>

namespace hone {
namespace {

/// Sorts all places by the characters that follow, up to the end of the word or `depth` characters.
class PlaceOrder {
 public:
  PlaceOrder(const TrainingText& text, std::uint32_t depth)
      : codes_(text.codes), depth_(depth), bits_(static_cast<unsigned>(std::bit_width(text.alphabet.size() - 1))) {
    per_key_ = std::min(63 / bits_, depth);
    std::vector<Place> places;
    places.reserve(codes_.size());
    for (std::uint32_t at = 0; at < codes_.size(); ++at) {
      if (codes_[at] != 0) places.push_back({key_at(at), at});
    }
    std::sort(places.begin(), places.end(),
              [this](const Place& a, const Place& b) { return a.key != b.key ? a.key < b.key : is_less_behind(a, b); });
    order.reserve(places.size());
    for (const Place& place : places) order.push_back(place.at);
  }

  /// Characters that two places share, the end of a word counted as one; at most depth.
  std::uint32_t common(std::uint32_t a, std::uint32_t b) const {
    std::uint32_t length = 0;
    while (length < depth_ && codes_[a + length] == codes_[b + length]) {
      if (codes_[a + length++] == 0) break;
    }
    return length;
  }

  std::vector<std::uint32_t> order;

 private:
  struct Place {
    std::uint64_t key;  // the first characters
    std::uint32_t at;
  };

  std::uint64_t key_at(std::uint32_t at) const {
    std::uint64_t key = 0;
    bool ended = false;
    for (std::uint32_t i = 0; i < per_key_; ++i) {
      key <<= bits_;
      ended = ended || codes_[at + i] == 0;
      if (!ended) key |= codes_[at + i];
    }
    return key;
  }

  /// Where the keys are the same; of the same characters the earlier place comes first.
  bool is_less_behind(const Place& a, const Place& b) const {
    const std::uint32_t length = (a.key & ((std::uint64_t{1} << bits_) - 1)) == 0 ? depth_ : per_key_;
    for (std::uint32_t i = length; i < depth_; ++i) {
      const std::uint32_t left = codes_[a.at + i], right = codes_[b.at + i];
      if (left != right) return left < right;
      if (left == 0) break;
    }
    return a.at < b.at;
  }

  const std::vector<std::uint32_t>& codes_;
  std::uint32_t depth_;
  unsigned bits_;
  std::uint32_t per_key_ = 0;
};

/// Inner nodes of the suffix tree with 2 to `max_length` characters and no end of a word.
std::vector<SeedPiece> repeated_substrings(const TrainingText& text, const PlaceOrder& places,
                                           std::uint32_t max_length) {
  struct Open {
    std::uint32_t length;
    std::uint32_t first;
  };
  std::vector<SeedPiece> found;
  std::vector<Open> open = {{0, 0}};
  const auto& order = places.order;
  const auto close = [&](const Open& node, std::uint32_t last) {
    if (node.length < 2 || node.length > max_length) return;
    const std::uint32_t at = order[node.first];
    if (text.codes[at + node.length - 1] == 0) return;
    found.push_back({at, node.length, node.first, last, std::int64_t{last - node.first} * node.length});
  };
  for (std::uint32_t i = 1; i <= order.size(); ++i) {
    const std::uint32_t common = i < order.size() ? places.common(order[i - 1], order[i]) : 0;
    std::uint32_t first = i - 1;
    while (open.back().length > common) {
      close(open.back(), i);
      first = open.back().first;
      open.pop_back();
    }
    if (open.back().length < common) open.push_back({common, first});
  }
  std::sort(found.begin(), found.end(), [](const SeedPiece& a, const SeedPiece& b) {
    if (a.weight != b.weight) return a.weight > b.weight;
    return a.first != b.first ? a.first > b.first : a.length > b.length;
  });
  return found;
}

/// Every character, the most frequent first.
std::vector<SeedPiece> characters(const TrainingText& text, const std::vector<std::uint32_t>& order) {
  std::vector<std::int64_t> counts(text.alphabet.size());
  for (std::size_t word = 0; word < text.count.size(); ++word) {
    for (std::uint32_t at = text.begin[word]; text.codes[at] != 0; ++at) counts[text.codes[at]] += text.count[word];
  }
  std::vector<SeedPiece> found;
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    if (i > 0 && text.codes[order[i]] == text.codes[order[i - 1]]) {
      ++found.back().last;
    } else {
      found.push_back({order[i], 1, i, i + 1, counts[text.codes[order[i]]]});
    }
  }
  std::sort(found.begin(), found.end(), [](const SeedPiece& a, const SeedPiece& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.first > b.first;
  });
  return found;
}

}  // namespace

TrainingText::TrainingText(const WordCounts& words) : alphabet{0} {
  std::map<char32_t, std::uint32_t> codes_of;
  for (const WordCounts::Word& word : words.words()) {
    const std::string_view bytes = words.text(word);
    for (std::size_t i = 0; i < bytes.size();) codes_of[next_code_point(bytes, i)] = 0;
  }
  for (auto& [point, code] : codes_of) {
    code = static_cast<std::uint32_t>(alphabet.size());
    alphabet.push_back(point);
  }
  for (const WordCounts::Word& word : words.words()) {
    const std::string_view bytes = words.text(word);
    begin.push_back(static_cast<std::uint32_t>(codes.size()));
    count.push_back(word.count);
    for (std::size_t i = 0; i < bytes.size();) codes.push_back(codes_of.at(next_code_point(bytes, i)));
    codes.push_back(0);
  }
  begin.push_back(static_cast<std::uint32_t>(codes.size()));
}

std::string TrainingText::spell(std::uint32_t at, std::uint32_t length) const {
  std::string text;
  for (std::uint32_t i = 0; i < length; ++i) append_utf8(text, alphabet[codes[at + i]]);
  return text;
}

UnigramSeeds find_seeds(const TrainingText& text, std::uint32_t max_length, std::size_t limit) {
  PlaceOrder places(text, max_length + 1);
  UnigramSeeds seeds;
  seeds.pieces = characters(text, places.order);
  for (const SeedPiece& piece : repeated_substrings(text, places, max_length)) {
    if (seeds.pieces.size() >= limit) break;
    seeds.pieces.push_back(piece);
  }
  seeds.order = std::move(places.order);
  return seeds;
}

}  // namespace hone
