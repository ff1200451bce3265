#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "flow/types.h"

namespace hone {

/// Judges texts with a model, so that rewards need not know models. Blocking; one thread at a time.
class TextScorer {
 public:
  struct Item {
    std::string prompt;
    std::string completion;
    std::vector<Message> messages;  ///< a conversation that the completion answers, in place of the prompt
    Json tools;                     ///< of the conversation: an array of descriptions, or null
  };
  virtual ~TextScorer() = default;
  /// What the scores are called, of a model that gives several; empty where it gives one.
  virtual std::vector<std::string> names() const { return {}; }
  /// One value an item, or one for each of names(), item by item. What it means depends on the scorer: mean
  /// log-likelihood a completion token (a language model), the reward (a reward model), or the log-odds of the positive
  /// class (a classifier).
  virtual std::vector<double> score(std::span<const Item> items) = 0;
};

/// Judges the steps of solutions with a process reward model. Blocking; one thread at a time.
class StepScorer {
 public:
  struct Item {
    std::string prompt;
    std::vector<std::string> steps;  ///< without what separates them
  };
  virtual ~StepScorer() = default;
  /// For each item the probability of each of its steps to be right, given the prompt and the steps before it.
  virtual std::vector<std::vector<double>> score(std::span<const Item> items) = 0;
};

/// Rows with a prompt and a reference, so that the `dataset` environment need not know files.
class PromptSource {
 public:
  virtual ~PromptSource() = default;
  virtual std::uint64_t size(Split split) const = 0;
  /// A pure function of (split, index).
  virtual Prompt prompt(Split split, std::uint64_t index) const = 0;
  virtual std::optional<std::string> demonstration(const Prompt& prompt) const = 0;
};

/// Runs a program that nobody trusts. Blocking; any number of threads at once.
class Executor {
 public:
  struct Program {
    std::vector<std::string> command;                        ///< looked up in PATH
    std::vector<std::pair<std::string, std::string>> files;  ///< name and content, in the program's own empty folder
    std::string input;                                       ///< on its standard input
    double seconds = 10;                                     ///< of wall time; then it is killed with all it started
    std::int64_t memory_bytes = 512 << 20;
    std::int64_t output_bytes = 1 << 20;                     ///< of stdout and of stderr; what is beyond is cut
  };
  struct Outcome {
    enum class End { exited, killed, timed_out, refused } end = End::refused;
    int code = 0;          ///< exit status, or the signal's number
    std::string output;    ///< stdout
    std::string errors;    ///< stderr, or why it was refused
    double seconds = 0;
  };
  virtual ~Executor() = default;
  virtual Outcome run(const Program& program) = 0;
  /// The layers of isolation that are active, for people: "user namespace, seccomp, landlock".
  virtual std::string layers() const = 0;
};

/// What src/app gives to environments and rewards when it makes them. The functions throw Error{config} when what they
/// are asked for is not in the run's file.
struct Services {
  std::uint64_t seed = 0;
  std::function<std::unique_ptr<PromptSource>(const std::string& data_name)> prompts;
  /// Mean log-likelihood under a frozen language model (a model directory, or "initial" for the stage's first weights).
  std::function<std::unique_ptr<TextScorer>(const std::string& model)> likelihood;
  /// A trained reward model or classifier: a model directory or the name of an earlier stage.
  std::function<std::unique_ptr<TextScorer>(const std::string& model)> scorer;
  /// A trained process reward model, likewise; `separator` stands behind each step, as in its training.
  std::function<std::unique_ptr<StepScorer>(const std::string& model, const std::string& separator)> step_scorer;
  /// The bytes that each id of a completion stands for; none for special tokens.
  std::function<std::vector<std::string>(std::span<const std::int32_t> ids)> pieces;
  /// The sandbox. Error{service} naming what is missing when this machine cannot isolate a program.
  std::function<std::shared_ptr<Executor>()> executor;
};

}  // namespace hone
