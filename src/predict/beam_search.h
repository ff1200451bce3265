#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hone {

/// When a beam search ends before the length limit.
enum class EarlyStopping {
  no,     ///< the best running beam, at its present length, cannot beat the worst finished one
  yes,    ///< as soon as there are num_beams finished hypotheses
  never,  ///< … not even at the length limit, where a longer text is favoured
};

struct BeamSettings {
  std::int64_t num_beams = 4;
  std::int64_t num_return_sequences = 1;  ///< at most num_beams
  double length_penalty = 1.0;            ///< a hypothesis scores its log-probability / length^length_penalty
  EarlyStopping early_stopping = EarlyStopping::no;
  std::int64_t max_new_tokens = 64;
  std::vector<std::int32_t> eos;  ///< ids that finish a hypothesis; they belong to it
};

/// The bookkeeping of beam search for one prompt, with the rules (and the float32 arithmetic) of transformers: the best
/// max(2, 1 + eos ids)·num_beams continuations a step; those of the first num_beams that end become finished
/// hypotheses, of which the num_beams best stay; the best num_beams others run on. Equal scores: the lower beam, then
/// the lower id, first. Where logit rules leave fewer continuations than beams, transformers returns copies of one
/// text; here none is a copy.
///
///     BeamSearch search(settings);
///     while (!search.done()) {
///       search.step(rows, vocabulary);         // one row a running beam: search.beams().size()
///       for (beam : search.beams()) …          // give it the cache of its parent, feed its id
///     }
///     search.hypotheses()
class BeamSearch {
 public:
  /// Error{config} for settings that contradict each other.
  explicit BeamSearch(BeamSettings settings);

  static constexpr float kFiller = -5.0e8F;  ///< no real sum of log-probabilities is as low

  struct Beam {
    std::int32_t parent = 0;  ///< row of the last step that it continues
    std::int32_t id = 0;      ///< token to feed
    float score = 0;          ///< sum of log-probabilities
    /// There were fewer continuations than beams: whatever follows this one is never returned.
    bool filler() const { return score < kFiller; }
  };
  struct Hypothesis {
    std::vector<std::int32_t> ids;  ///< behind the prompt, with the eos id if there was one
    float score = 0;                ///< with the length penalty
  };

  /// `log_probs` are the running beams' rows of log-softmax values (after whatever logit rules there are), one behind
  /// the other. In the first step all beams are the prompt: one row. Error{data} for NaN or another number of rows.
  void step(std::span<const float> log_probs, std::int64_t vocabulary);

  bool done() const { return done_; }
  /// How many rows the next step wants: 1 at first, then num_beams.
  std::int64_t rows() const { return length_ == 0 ? 1 : settings_.num_beams; }
  /// The running beams after a step; their order is that of the next step's rows.
  std::span<const Beam> beams() const { return beams_; }
  /// Ids of a running beam behind the prompt.
  std::span<const std::int32_t> ids(std::size_t beam) const { return ids_[beam]; }
  /// The best finished ones, best first; num_return_sequences, or fewer where nothing more could be continued.
  std::vector<Hypothesis> hypotheses() const;

 private:
  struct Candidate {
    float score = 0;
    std::int32_t beam = 0;
    std::int32_t id = 0;
    bool ends = false;
  };
  struct Finished {
    float score = 0;
    bool real = false;  ///< else a place that is still free
    std::vector<std::int32_t> ids;
  };
  std::vector<Candidate> best_continuations(std::span<const float> log_probs, std::int64_t vocabulary) const;
  void run_on(std::span<const Candidate> candidates);
  void finish(std::span<const Candidate> candidates);
  bool improvement_possible() const;
  std::vector<std::int32_t> continued(const Candidate& candidate) const;

  BeamSettings settings_;
  std::vector<Beam> beams_;
  std::vector<std::vector<std::int32_t>> ids_;  ///< by running beam
  std::vector<Finished> finished_;              ///< num_beams, best first
  std::int64_t length_ = 0;                     ///< tokens behind the prompt
  bool done_ = false;
};

}  // namespace hone
