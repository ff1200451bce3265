#pragma once

#include "text/unigram_trainer_seeds.h"

#include <span>

namespace hone {

/// Every way to cut the training words into pieces: at each place, the pieces that begin there. Found once from the
/// seeds; dropping pieces only shortens the lists.
class UnigramLattice {
 public:
  static constexpr std::uint32_t kUnknown = UINT32_MAX;

  UnigramLattice(const TrainingText& text, const UnigramSeeds& seeds);

  /// Expected count of each piece in the texts under a model with these log-probabilities (forward-backward), a
  /// character without a piece being unknown.
  std::vector<double> expected_counts(std::span<const double> scores, double unknown_score) const;
  /// Count of each piece in the best cuts, and of unknown characters.
  std::vector<double> best_counts(std::span<const double> scores, double unknown_score, double& unknown_count) const;
  /// The best cut of the characters [at, at + length) that is not the piece of this very length: pieces, or kUnknown.
  /// Empty when there is none. `score` is its sum.
  std::vector<std::uint32_t> second_cut(std::uint32_t at, std::uint32_t length, std::span<const double> scores,
                                        double unknown_score, double& score) const;

  /// Numbers pieces anew: piece i is now new_ids[i], or gone (kUnknown).
  void renumber(std::span<const std::uint32_t> new_ids);

 private:
  struct Match {
    std::uint32_t piece;
    std::uint32_t length;
  };
  /// The best way to a place.
  struct Reached {
    double score;
    std::uint32_t piece;
    std::uint32_t begin;
  };

  /// Calls visit(piece, length) for each piece at a place within `room` characters, the shortest first.
  template <class Visit>
  void at_place(std::uint32_t at, std::uint32_t room, const Visit& visit) const;
  template <class Skip>
  void search(std::uint32_t at, std::uint32_t length, std::span<const double> scores, double unknown_score,
              std::vector<Reached>& reached, const Skip& skip) const;
  void add_expected(std::uint32_t begin, std::uint32_t length, double count, std::span<const double> scores,
                    double unknown_score, std::span<double> expected) const;

  const TrainingText& text_;
  std::vector<std::uint32_t> first_;  ///< of each place, in matches_; and the end
  std::vector<Match> matches_;
};

}  // namespace hone
