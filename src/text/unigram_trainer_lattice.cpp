#include "text/unigram_trainer_lattice.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hone {
namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();

/// log(exp(a) + exp(b)).
double log_sum(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kNone ? a : a + std::log1p(std::exp(b - a));
}

}  // namespace

UnigramLattice::UnigramLattice(const TrainingText& text, const UnigramSeeds& seeds)
    : text_(text), first_(text.codes.size() + 1) {
  for (const SeedPiece& piece : seeds.pieces) {
    for (std::uint32_t i = piece.first; i < piece.last; ++i) ++first_[seeds.order[i] + 1];
  }
  for (std::size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
  matches_.resize(first_.back());
  std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
  for (std::uint32_t id = 0; id < seeds.pieces.size(); ++id) {
    const SeedPiece& piece = seeds.pieces[id];
    for (std::uint32_t i = piece.first; i < piece.last; ++i) matches_[next[seeds.order[i]]++] = {id, piece.length};
  }
  for (std::size_t at = 0; at + 1 < first_.size(); ++at) {
    std::sort(matches_.begin() + first_[at], matches_.begin() + first_[at + 1],
              [](const Match& a, const Match& b) { return a.length < b.length; });
  }
}

template <class Visit>
void UnigramLattice::at_place(std::uint32_t at, std::uint32_t room, const Visit& visit) const {
  const Match* match = matches_.data() + first_[at];
  const Match* const end = matches_.data() + first_[at + 1];
  if (match == end || match->length != 1) visit(kUnknown, 1u);
  for (; match != end && match->length <= room; ++match) visit(match->piece, match->length);
}

std::vector<double> UnigramLattice::expected_counts(std::span<const double> scores, double unknown_score) const {
  // Products of few probabilities stay within the range of a double; longer words are summed as logarithms.
  constexpr std::uint32_t kShort = 20;
  std::vector<double> expected(scores.size());
  std::vector<double> probabilities(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) probabilities[i] = std::exp(scores[i]);
  const double unknown = std::exp(unknown_score);
  const auto probability = [&](std::uint32_t piece) { return piece == kUnknown ? unknown : probabilities[piece]; };
  double forward[kShort + 1];
  double backward[kShort + 1];
  for (std::size_t word = 0; word < text_.count.size(); ++word) {
    const std::uint32_t begin = text_.begin[word];
    const std::uint32_t length = text_.begin[word + 1] - begin - 1;
    const auto count = static_cast<double>(text_.count[word]);
    if (length > kShort || unknown_score < -30) {
      add_expected(begin, length, count, scores, unknown_score, expected);
      continue;
    }
    std::fill_n(forward, length + 1, 0.0);
    std::fill_n(backward, length + 1, 0.0);
    forward[0] = backward[length] = 1;
    for (std::uint32_t i = 0; i < length; ++i) {
      at_place(begin + i, length - i,
               [&](std::uint32_t piece, std::uint32_t size) { forward[i + size] += forward[i] * probability(piece); });
    }
    const double scale = count / forward[length];
    for (std::uint32_t i = length; i-- > 0;) {
      at_place(begin + i, length - i, [&](std::uint32_t piece, std::uint32_t size) {
        const double mass = probability(piece) * backward[i + size];
        backward[i] += mass;
        if (piece != kUnknown) expected[piece] += forward[i] * mass * scale;
      });
    }
  }
  return expected;
}

void UnigramLattice::add_expected(std::uint32_t begin, std::uint32_t length, double count,
                                  std::span<const double> scores, double unknown_score,
                                  std::span<double> expected) const {
  const auto score = [&](std::uint32_t piece) { return piece == kUnknown ? unknown_score : scores[piece]; };
  std::vector<double> forward(length + 1, kNone);
  std::vector<double> backward(length + 1, kNone);
  forward[0] = backward[length] = 0;
  for (std::uint32_t i = 0; i < length; ++i) {
    at_place(begin + i, length - i, [&](std::uint32_t piece, std::uint32_t size) {
      forward[i + size] = log_sum(forward[i + size], forward[i] + score(piece));
    });
  }
  for (std::uint32_t i = length; i-- > 0;) {
    at_place(begin + i, length - i, [&](std::uint32_t piece, std::uint32_t size) {
      const double mass = score(piece) + backward[i + size];
      backward[i] = log_sum(backward[i], mass);
      if (piece != kUnknown) expected[piece] += count * std::exp(forward[i] + mass - forward[length]);
    });
  }
}

template <class Skip>
void UnigramLattice::search(std::uint32_t at, std::uint32_t length, std::span<const double> scores,
                            double unknown_score, std::vector<Reached>& reached, const Skip& skip) const {
  reached.assign(length + 1, {kNone, kUnknown, 0});
  reached[0].score = 0;
  for (std::uint32_t i = 0; i < length; ++i) {
    at_place(at + i, length - i, [&](std::uint32_t piece, std::uint32_t size) {
      if (skip(size)) return;
      const double sum = reached[i].score + (piece == kUnknown ? unknown_score : scores[piece]);
      if (sum > reached[i + size].score) reached[i + size] = {sum, piece, i};
    });
  }
}

std::vector<double> UnigramLattice::best_counts(std::span<const double> scores, double unknown_score,
                                                double& unknown_count) const {
  std::vector<double> counts(scores.size());
  std::vector<Reached> reached;
  unknown_count = 0;
  for (std::size_t word = 0; word < text_.count.size(); ++word) {
    const std::uint32_t begin = text_.begin[word];
    const std::uint32_t length = text_.begin[word + 1] - begin - 1;
    search(begin, length, scores, unknown_score, reached, [](std::uint32_t) { return false; });
    for (std::uint32_t end = length; end > 0; end = reached[end].begin) {
      const std::uint32_t piece = reached[end].piece;
      (piece == kUnknown ? unknown_count : counts[piece]) += static_cast<double>(text_.count[word]);
    }
  }
  return counts;
}

std::vector<std::uint32_t> UnigramLattice::second_cut(std::uint32_t at, std::uint32_t length,
                                                      std::span<const double> scores, double unknown_score,
                                                      double& score) const {
  std::vector<Reached> reached;
  search(at, length, scores, unknown_score, reached, [&](std::uint32_t size) { return size == length; });
  score = reached[length].score;
  std::vector<std::uint32_t> pieces;
  if (score == kNone) return pieces;
  for (std::uint32_t end = length; end > 0; end = reached[end].begin) pieces.push_back(reached[end].piece);
  std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

void UnigramLattice::renumber(std::span<const std::uint32_t> new_ids) {
  std::uint32_t kept = 0;
  for (std::size_t at = 0; at + 1 < first_.size(); ++at) {
    const std::uint32_t begin = first_[at];
    first_[at] = kept;
    for (std::uint32_t i = begin; i < first_[at + 1]; ++i) {
      const Match match = matches_[i];
      if (new_ids[match.piece] != kUnknown) matches_[kept++] = {new_ids[match.piece], match.length};
    }
  }
  first_.back() = kept;
  matches_.resize(kept);
}

}  // namespace hone
