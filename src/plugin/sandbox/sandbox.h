#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "flow/services.h"

namespace hone {

/// How programs that nobody trusts are run. docs/sandbox.md says what is promised.
struct SandboxConfig {
  enum class Isolation { automatic, namespaces, bubblewrap, landlock };
  static constexpr std::array<std::string_view, 4> isolation_names{"auto", "namespaces", "bubblewrap", "landlock"};

  Isolation isolation = Isolation::automatic;
  std::vector<std::string> readable;
  std::int64_t processes = 32;
  std::vector<std::string> allow_weaker;

  void describe(Fields& f);
};

/// Two programs instead of one: Executor::Program::command may hold two commands with this word between them. Each runs
/// in a sandbox of its own that knows nothing of the other; a stream socket is descriptor 3 of both. The second gets
/// the files whose names begin with `second_program` and "/", without that beginning; the first gets the rest and the
/// input. The outcome is the first's; when it has ended the second is killed. Limits hold for each.
inline constexpr std::string_view second_program = "<>";

/// Starts the launcher (`host` is the path of hone-plugin-host) and waits for its probe. Error{service} naming what is
/// missing when this machine cannot isolate a program. `run` may be called by any number of threads; a launcher that
/// died is started again. Destroying it ends everything that still runs.
std::shared_ptr<Executor> make_sandbox(const SandboxConfig& config, const std::string& host);

}  // namespace hone
