#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "flow/reward.h"
#include "report/summary.h"

namespace hone {

class Run;

/// What is left of a stage once its rows are read: to learn from them. Called once.
using StageStart = std::function<StageSummary()>;

/// Lines of `hone check`: what a stage will do, in numbers.
using StageArithmetic = std::vector<std::pair<std::string, std::string>>;

/// The configuration of a stage; one row of the table in src/app lists it. A stage starts from the weights of the stage
/// before it (or of `from`), trains them or not, and leaves them in the run.
class StageSpec : public Component {
 public:
  std::optional<std::string> from;

  void describe(Fields& f) final {
    f.field("from", from, "Name of the earlier stage whose weights this one starts from, or `initial`; by default the "
                          "stage before it.");
    describe_stage(f);
  }
  virtual void describe_stage(Fields& f) = 0;
  /// The entries of the file's `data:` map that the stage reads.
  virtual std::vector<std::string> data_names() const { return {}; }
  /// What judges the stage's episodes.
  virtual std::span<const std::unique_ptr<RewardSpec>> rewards() const { return {}; }
  /// Prompts × samples × tokens, steps, optimizer steps, without running anything.
  virtual StageArithmetic arithmetic() const = 0;
  /// Throws Error; a stop by the user arrives as Error{stopped} or Error{preempted} after saving.
  StageSummary run(Run& run) const { return prepare(run)(); }
  /// Reads and encodes what the stage learns from as far as files have it, and refuses what is wrong with it: Error with
  /// file and row. Leaves the run's model alone, so that it can be asked before earlier stages have run; the start wants
  /// the classes and the pooling that the model had then, and outlives neither the stage nor the run.
  virtual StageStart prepare(Run& run) const = 0;
};

}  // namespace hone
