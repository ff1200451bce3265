#include "predict/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace hone {
namespace {

constexpr float kOut = -1.0e9F;  ///< added to what must not be chosen while anything else can be

/// The `count` entries with the highest scores, best first, of equals the earlier one.
template <class Item>
std::vector<Item> best_of(std::vector<Item> items, std::size_t count) {
  std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.score > b.score; });
  if (items.size() > count) items.resize(count);
  return items;
}

}  // namespace

BeamSearch::BeamSearch(BeamSettings settings) : settings_(std::move(settings)) {
  const BeamSettings& s = settings_;
  if (s.num_beams < 1) fail(ErrorKind::config, "num_beams is {}, expected at least 1", s.num_beams);
  if (s.num_return_sequences < 1 || s.num_return_sequences > s.num_beams) {
    fail(ErrorKind::config, "num_return_sequences is {}, expected from 1 to num_beams = {}", s.num_return_sequences,
         s.num_beams);
  }
  if (s.max_new_tokens < 1) fail(ErrorKind::config, "max_new_tokens is {}, expected at least 1", s.max_new_tokens);
  if (!std::isfinite(s.length_penalty))
    fail(ErrorKind::config, "length_penalty is {}, expected a number", s.length_penalty);
  const auto beams = static_cast<std::size_t>(s.num_beams);
  beams_.assign(beams, {.score = kOut});  // only the first one counts: all begin with the same text
  beams_[0].score = 0;
  ids_.resize(beams);
  finished_.assign(beams, {.score = kOut});
}

void BeamSearch::step(std::span<const float> log_probs, std::int64_t vocabulary) {
  HONE_ASSERT(!done_);
  const auto expected = static_cast<std::size_t>(rows() * vocabulary);
  if (vocabulary < 1 || log_probs.size() != expected) {
    fail(ErrorKind::data, "beam search got {} log-probabilities, expected {} rows of {}", log_probs.size(), rows(),
         vocabulary);
  }
  const std::vector<Candidate> candidates = best_continuations(log_probs, vocabulary);
  finish(candidates);
  run_on(candidates);
  ++length_;
  const bool full = std::all_of(finished_.begin(), finished_.end(), [](const Finished& f) { return f.real; });
  const bool all_end = std::all_of(candidates.begin(), candidates.end(), [](const Candidate& c) { return c.ends; });
  done_ = beams_.front().filler() || !improvement_possible() ||
          (full && settings_.early_stopping == EarlyStopping::yes) || all_end;
}

std::vector<BeamSearch::Candidate> BeamSearch::best_continuations(std::span<const float> log_probs,
                                                                  std::int64_t vocabulary) const {
  const std::size_t kept = std::max<std::size_t>(2, 1 + settings_.eos.size()) * beams_.size();
  // A heap whose front is the worst candidate: of equals the later one.
  const auto better = [](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.beam != b.beam ? a.beam < b.beam : a.id < b.id;
  };
  std::vector<Candidate> best;
  for (std::size_t beam = 0; beam < beams_.size(); ++beam) {
    const float* row = log_probs.data() + (length_ == 0 ? 0 : beam * static_cast<std::size_t>(vocabulary));
    for (std::int32_t id = 0; id < vocabulary; ++id) {
      const float score = row[id] + beams_[beam].score;
      if (best.size() == kept && score <= best.front().score) continue;
      if (std::isnan(score)) fail(ErrorKind::data, "the log-probability of token {} is not a number", id);
      if (best.size() == kept) {
        std::pop_heap(best.begin(), best.end(), better);
        best.pop_back();
      }
      best.push_back({.score = score, .beam = static_cast<std::int32_t>(beam), .id = id});
      std::push_heap(best.begin(), best.end(), better);
    }
  }
  std::sort_heap(best.begin(), best.end(), better);
  for (Candidate& candidate : best) {
    candidate.ends = length_ + 1 >= settings_.max_new_tokens ||
                     std::find(settings_.eos.begin(), settings_.eos.end(), candidate.id) != settings_.eos.end();
  }
  return best;
}

std::vector<std::int32_t> BeamSearch::continued(const Candidate& candidate) const {
  std::vector<std::int32_t> ids = ids_[static_cast<std::size_t>(candidate.beam)];
  ids.push_back(candidate.id);
  return ids;
}

void BeamSearch::finish(std::span<const Candidate> candidates) {
  const auto penalty = static_cast<float>(std::pow(static_cast<double>(length_ + 1), settings_.length_penalty));
  std::vector<Finished> all = std::move(finished_);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const bool finishes = candidates[i].ends && i < beams_.size() && candidates[i].score >= kFiller;
    if (finishes)
      all.push_back({.score = candidates[i].score / penalty, .real = true, .ids = continued(candidates[i])});
  }
  finished_ = best_of(std::move(all), beams_.size());
}

void BeamSearch::run_on(std::span<const Candidate> candidates) {
  std::vector<Candidate> open(candidates.begin(), candidates.end());
  for (Candidate& candidate : open) {
    if (candidate.ends) candidate.score += kOut;
  }
  open = best_of(std::move(open), beams_.size());
  std::vector<std::vector<std::int32_t>> ids;
  for (const Candidate& candidate : open) ids.push_back(continued(candidate));
  // A vocabulary that is smaller than the number of beams leaves places free.
  for (std::size_t i = 0; i < beams_.size(); ++i) {
    const Candidate& candidate = open[std::min(i, open.size() - 1)];
    beams_[i] = {.parent = length_ == 0 ? 0 : candidate.beam,
                 .id = candidate.id,
                 .score = i < open.size() ? candidate.score : -std::numeric_limits<float>::infinity()};
    if (i >= ids.size()) ids.push_back(ids.back());
  }
  ids_ = std::move(ids);
}

/// Whether a running beam could still become one of the finished ones, by the estimate of EarlyStopping.
bool BeamSearch::improvement_possible() const {
  const bool at_limit = settings_.early_stopping == EarlyStopping::never && settings_.length_penalty > 0;
  const auto length = static_cast<double>(at_limit ? settings_.max_new_tokens : length_);
  const float best = beams_.front().score / static_cast<float>(std::pow(length, settings_.length_penalty));
  return std::any_of(finished_.begin(), finished_.end(),
                     [&](const Finished& finished) { return best > (finished.real ? finished_.back().score : kOut); });
}

std::vector<BeamSearch::Hypothesis> BeamSearch::hypotheses() const {
  std::vector<Hypothesis> found;
  for (const Finished& finished : finished_) {
    if (finished.real && static_cast<std::int64_t>(found.size()) < settings_.num_return_sequences) {
      found.push_back({finished.ids, finished.score});
    }
  }
  return found;
}

}  // namespace hone
