#include "text/unigram_trainer.h"

#include "base/error.h"
#include "text/code_points.h"
#include "text/unigram_trainer_lattice.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace hone {
namespace {

constexpr std::uint32_t kGone = UnigramLattice::kUnknown;
/// Added to the loss of each occurrence of a pruned piece, in nats: frequent pieces stay longer. Without it the
/// likelihood of held-out text is up to 1 % lower.
constexpr double kOccurrenceLoss = 1.36;

/// The derivative of log Γ, by its asymptotic series.
double digamma(double x) {
  double result = 0;
  for (; x < 7; ++x) result -= 1 / x;
  x -= 0.5;
  const double square = 1 / (x * x);
  const double fourth = square * square;
  return result + std::log(x) + square / 24 - 7.0 / 960 * fourth + 31.0 / 8064 * fourth * square -
         127.0 / 30720 * fourth * fourth;
}

void check(const UnigramTrainerOptions& options) {
  const auto refuse = [](const char* name, const std::string& found, const char* expected) {
    fail(ErrorKind::config, "tokenizer training: {} is {}, expected {}", name, found, expected);
  };
  if (options.max_piece_length < 1 || options.max_piece_length > 1000) {
    refuse("max_piece_length", std::to_string(options.max_piece_length), "1 to 1000");
  }
  if (!(options.shrinking_factor > 0 && options.shrinking_factor < 1)) {
    refuse("shrinking_factor", fmt::format("{}", options.shrinking_factor), "between 0 and 1");
  }
  if (options.sub_iterations < 1) refuse("sub_iterations", std::to_string(options.sub_iterations), "at least 1");
  if (options.seed_size < 1) refuse("seed_size", std::to_string(options.seed_size), "at least 1");
  if (options.unknown.empty()) refuse("the unknown token", "empty", "a text");
  std::set<std::string> seen;
  for (const std::string& token : options.special_tokens) {
    if (token.empty()) refuse("a special token", "empty", "a text");
    if (!seen.insert(token).second) refuse("a special token", token + " twice", "each once");
  }
}

/// Pieces in an order of preference, which pruning makes, with their log-probabilities.
class UnigramTraining {
 public:
  UnigramTraining(const WordCounts& words, const UnigramTrainerOptions& options)
      : options_(options),
        text_(words),
        seeds_(find_seeds(text_, static_cast<std::uint32_t>(options.max_piece_length),
                          static_cast<std::size_t>(options.seed_size))),
        lattice_(text_, seeds_) {
    seeds_.order = {};
    pieces_ = std::move(seeds_.pieces);
    double sum = 0;
    for (const SeedPiece& piece : pieces_) sum += static_cast<double>(piece.weight);
    for (const SeedPiece& piece : pieces_) {
      scores_.push_back(std::log(static_cast<double>(piece.weight)) - std::log(sum));
    }
  }

  /// Until there are at most `enough` pieces.
  void run(std::size_t enough) {
    for (;;) {
      for (std::int32_t i = 0; i < options_.sub_iterations; ++i) {
        maximize(lattice_.expected_counts(scores_, unknown_score()));
      }
      const std::size_t before = pieces_.size();
      if (before + 1 > enough) prune(enough);
      if (pieces_.size() + 1 <= enough || pieces_.size() == before) break;
    }
  }

  /// At most `count` tokens by score: every character, then the preferred pieces.
  std::vector<std::pair<std::string, double>> finish(std::size_t count) const;
  std::size_t character_count() const { return required_characters().size(); }

 private:
  double least_score() const { return *std::min_element(scores_.begin(), scores_.end()); }
  double unknown_score() const { return least_score() - 10; }

  void keep(const std::vector<std::uint32_t>& ids) {
    std::vector<std::uint32_t> new_ids(pieces_.size(), kGone);
    std::vector<SeedPiece> pieces;
    std::vector<double> scores;
    for (const std::uint32_t id : ids) {
      new_ids[id] = static_cast<std::uint32_t>(pieces.size());
      pieces.push_back(pieces_[id]);
      scores.push_back(scores_[id]);
    }
    pieces_.swap(pieces);
    scores_.swap(scores);
    lattice_.renumber(new_ids);
  }

  /// The M step. The digamma function instead of the logarithm is a sparse prior.
  void maximize(const std::vector<double>& expected) {
    constexpr double kLeastExpected = 0.5;
    std::vector<std::uint32_t> ids;
    double sum = 0;
    for (std::uint32_t id = 0; id < pieces_.size(); ++id) {
      if (expected[id] < kLeastExpected) continue;
      ids.push_back(id);
      sum += expected[id];
    }
    const double log_sum = digamma(sum);
    for (const std::uint32_t id : ids) scores_[id] = digamma(expected[id]) - log_sum;
    keep(ids);
  }

  void prune(std::size_t enough);
  std::set<char32_t> required_characters() const;

  const UnigramTrainerOptions& options_;
  TrainingText text_;
  UnigramSeeds seeds_;
  UnigramLattice lattice_;
  std::vector<SeedPiece> pieces_;
  std::vector<double> scores_;
};

/// Keeps what has no other spelling, then what costs the most likelihood when it is spelled by others.
void UnigramTraining::prune(std::size_t enough) {
  double unknown_count = 0;
  const std::vector<double> counts = lattice_.best_counts(scores_, unknown_score(), unknown_count);
  const double sum = std::accumulate(counts.begin(), counts.end(), unknown_count);
  const double texts = static_cast<double>(std::accumulate(text_.count.begin(), text_.count.end(), std::int64_t{0}));
  std::vector<std::uint32_t> kept;
  std::vector<std::pair<double, std::uint32_t>> candidates;
  for (std::uint32_t id = 0; id < pieces_.size(); ++id) {
    double other_score = 0;
    const auto other = lattice_.second_cut(pieces_[id].at, pieces_[id].length, scores_, unknown_score(), other_score);
    const bool is_best = other.empty() || scores_[id] >= other_score;
    if (counts[id] == 0 && (!is_best || !other.empty())) continue;
    if (other.empty() || !is_best) {
      kept.push_back(id);
      continue;
    }
    const double log_sum = std::log(sum + counts[id] * static_cast<double>(other.size() - 1));
    double log_other = 0;
    for (const std::uint32_t piece : other) {
      log_other += std::log((piece == kGone ? unknown_count : counts[piece]) + counts[id]) - log_sum;
    }
    const double log_own = std::log(counts[id]) - std::log(sum);
    candidates.emplace_back(counts[id] / texts * (log_own - log_other + kOccurrenceLoss), id);
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  const auto share = static_cast<std::size_t>(static_cast<double>(pieces_.size() + 1) * options_.shrinking_factor);
  for (const auto& [loss, id] : candidates) {
    if (kept.size() + 1 >= std::max(enough, share)) break;
    kept.push_back(id);
  }
  keep(kept);
}

std::set<char32_t> UnigramTraining::required_characters() const {
  std::set<char32_t> characters(text_.alphabet.begin() + 1, text_.alphabet.end());
  characters.insert(options_.initial_alphabet.begin(), options_.initial_alphabet.end());
  return characters;
}

std::vector<std::pair<std::string, double>> UnigramTraining::finish(std::size_t count) const {
  constexpr double kStep = 0.0001;  // between characters that EM dropped
  std::vector<std::pair<std::string, double>> tokens;
  std::vector<std::pair<std::string, double>> others;
  std::set<char32_t> missing = required_characters();
  for (std::size_t id = 0; id < pieces_.size(); ++id) {
    const SeedPiece& piece = pieces_[id];
    const bool is_character = piece.length == 1 && missing.erase(text_.alphabet[text_.codes[piece.at]]) > 0;
    (is_character ? tokens : others).emplace_back(text_.spell(piece.at, piece.length), scores_[id]);
  }
  double score = least_score();
  for (const char32_t character : missing) {
    std::string spelled;
    append_utf8(spelled, character);
    tokens.emplace_back(spelled, score);
    score += kStep;
  }
  for (auto& other : others) {
    if (tokens.size() >= count) break;
    tokens.push_back(std::move(other));
  }
  std::stable_sort(tokens.begin(), tokens.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return tokens;
}

}  // namespace

UnigramSpec train_unigram(const WordCounts& words, const UnigramTrainerOptions& options) {
  check(options);
  if (words.words().empty()) fail(ErrorKind::data, "tokenizer training: the texts have no words");
  UnigramSpec spec;
  spec.tokens = options.special_tokens;
  const auto place = std::find(spec.tokens.begin(), spec.tokens.end(), options.unknown);
  spec.unknown = place == spec.tokens.end() ? 0 : static_cast<std::int32_t>(place - spec.tokens.begin());
  if (place == spec.tokens.end()) spec.tokens.insert(spec.tokens.begin(), options.unknown);
  spec.scores.assign(spec.tokens.size(), 0.0);

  UnigramTraining training(words, options);
  const std::size_t least = training.character_count() + spec.tokens.size();
  if (options.vocab_size < static_cast<std::int64_t>(least)) {
    fail(ErrorKind::config,
         "tokenizer training: vocab_size {} is too small: {} characters and {} special tokens need {}",
         options.vocab_size, training.character_count(), spec.tokens.size(), least);
  }
  training.run(static_cast<std::size_t>(options.vocab_size) * 11 / 10);
  const std::set<std::string> special(spec.tokens.begin(), spec.tokens.end());
  for (auto& [token, score] : training.finish(static_cast<std::size_t>(options.vocab_size) - spec.tokens.size())) {
    if (special.contains(token)) continue;
    spec.tokens.push_back(std::move(token));
    spec.scores.push_back(score);
  }
  return spec;
}

}  // namespace hone
