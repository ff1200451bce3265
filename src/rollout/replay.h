#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "flow/environment.h"
#include "flow/types.h"
#include "io/line_reader.h"
#include "text/tokenizer.h"

namespace hone {

/// What a record must hold for a run to learn from it.
struct ReplayNeeds {
  std::int64_t iterations = 0;
  std::int64_t episodes = 0;  ///< an iteration
  std::int64_t samples = 1;   ///< episodes a prompt: groups where the record names none
  std::int64_t context = 0;   ///< longest episode in tokens
};

/// The episodes of a record (rollout/record.h) in place of generated ones.
///
/// A record of another program needs only "iteration", "prompt" and the "ids" of each turn; it may leave out
/// "prompt_id" (the prompt is then found by its text), "prompt_ids" (encoded here), "text" (decoded), "finish" (stop
/// after the end-of-sequence token, else length), groups (runs of `samples` lines), and in all of its lines the
/// log-probabilities or the scores.
class RolloutReplay {
 public:
  /// Reads the whole file once and checks it; both borrowed objects outlive this one. Error{data} with file and line:
  /// a line that is no episode, a prompt that the environment does not have, ids that the tokenizer does not know or
  /// would not have made of the prompt, an episode longer than the context, iterations that are missing or have another
  /// number of episodes, and where `samples` is above 1 groups of another size.
  RolloutReplay(const std::filesystem::path& path, const Environment& environment, const Tokenizer& tokenizer,
                const ReplayNeeds& needs);

  /// The episodes of one iteration, in the order of the file; `version` is put on each token. Iterations ascend from
  /// call to call.
  std::vector<Episode> iteration(std::int64_t iteration, std::int64_t version);

  /// Otherwise completions come without log-probabilities: the caller computes them.
  bool has_logprobs() const { return has_logprobs_; }
  /// Otherwise the run's rewards judge the episodes.
  bool has_scores() const { return has_scores_; }

 private:
  struct Line {
    std::int64_t iteration = 0;
    Episode episode;
    bool has_logprobs = false, has_score = false;
  };
  void open();
  /// The next line, or false at the end.
  bool next(Line& line);
  void check_file();
  void check_order(const Line& line, std::int64_t& iteration, std::int64_t& rows) const;
  /// `before`: the episode of the line before; `members`: how many of its group there were.
  void check_group(const Episode* now, const Episode& before, std::int64_t members) const;
  Line parse(const Json& json);
  Prompt find_prompt(const Json& json);
  std::vector<std::int32_t> prompt_ids(const Json& json, const Prompt& prompt) const;
  Turn parse_turn(const Json& json) const;
  void place_in_group(const Json& json, Line& line);

  std::filesystem::path path_;
  const Environment& environment_;
  const Tokenizer& tokenizer_;
  ReplayNeeds needs_;
  std::unique_ptr<LineReader> lines_;
  std::map<std::string, std::uint64_t, std::less<>> index_of_text_;  ///< filled when a line has no prompt_id
  struct {
    std::int64_t iteration = 0, row = 0, group = 0, sample = 0;
    std::string prompt;
  } last_;  ///< where the line before was
  bool has_logprobs_ = true, has_scores_ = true;
};

}  // namespace hone
