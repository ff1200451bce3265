#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "flow/types.h"
#include "plugin/sdk/hone/plugin.h"
#include "plugin/wire.h"

namespace hone {

/// What the instances of a plug-in are made with, and where their messages go.
struct LibrarySettings {
  std::string name;  ///< of the reward or environment in the run's file
  std::vector<std::pair<std::string, std::string>> config;
  std::uint64_t key = 0;  ///< stream of the run's seed and the name, see episode_seed
  /// Each may be called from several threads at once.
  std::function<void(LogLevel, std::string_view)> log;
  std::function<void(std::string_view name, double value)> metric;  ///< empty: figures are dropped
  std::function<bool()> cancelled;                                  ///< whether nobody waits any more
};

/// Settings whose messages go to hone's log under the name, and which are cancelled by the signals of base/stop.h.
LibrarySettings library_settings(std::string name, std::vector<std::pair<std::string, std::string>> config,
                                 std::uint64_t seed);

/// The table that every plug-in of this process gets.
const hone_host& library_host();

}  // namespace hone

/// One call of a function of a plug-in: what it may look up, and what it hands back. The plug-in's side knows only the
/// name of this type.
struct hone_call {
 public:
  /// `items`: how many verdicts the call has to bring.
  explicit hone_call(const hone::LibrarySettings& settings, std::size_t items = 0)
      : settings_(settings), slots_(items) {}

  /// Runs `function` of the plug-in, which returns HONE_OK or HONE_FAILED, and returns why it failed: its own words, an
  /// exception's, or "". An exception that a C++ plug-in lets out ends here.
  std::string run(const std::function<std::int32_t()>& function);

  /// One score an item, in order, after run() returned `failure`. Errors of reason "protocol" where the plug-in broke
  /// the contract: items without verdict or with two, an item that there is not, a span outside of the episode.
  std::vector<hone::Score> scores(const std::string& failure, std::span<const hone::Episode* const> episodes);

  /// What set_flaw noted, or "". For calls without items; scores() looks by itself.
  const std::string& flaw() const { return flaw_; }

  hone::WirePrompt prompt;
  bool prompt_given = false;
  hone::Environment::Step step;  ///< done unless the plug-in replied
  std::string state;

  // What the functions of the host's table do.
  const hone::LibrarySettings& settings() const { return settings_; }
  hone_text keep(std::string text);
  void set_failure(std::string why);
  /// How the plug-in broke the contract; the call then counts for nothing.
  void set_flaw(std::string why);
  void set_verdict(std::uint64_t item, hone::Score verdict);
  void add_note(std::uint64_t item, std::string text);
  void add_part(std::uint64_t item, std::string name, double value);
  void add_span(std::uint64_t item, hone::ScoreSpan span);

 private:
  struct Slot {
    hone::Score score;
    int verdicts = 0;
  };
  Slot* slot(std::uint64_t item);
  hone::Score verdict(Slot& slot, std::size_t item, const hone::Episode& episode) const;

  const hone::LibrarySettings& settings_;
  std::vector<Slot> slots_;
  std::mutex mutex_;  ///< guards what follows
  std::vector<std::unique_ptr<std::string>> kept_;
  std::string failure_;
  std::string flaw_;
};
