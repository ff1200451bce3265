#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "flow/reward.h"

namespace hone {

/// Runs the program in the completion against the tests of the prompt's reference, in the sandbox: files in HumanEval's
/// and MBPP's formats as they are (rewards/code_task.h). A completion that does not define the function itself
/// continues HumanEval's prompt.
///
/// The tests run in one sandbox and the program in another. The program is asked to call functions with plain data and
/// answers with plain data; it sees neither tests nor expected values, and its exit says nothing. docs/sandbox.md says
/// what may cross and what that means for tests.
///
/// 1 or 0, or the share of asserts that passed. A program that fails, in whatever way, is a 0; a sandbox that fails, or
/// a task that cannot be used, is an error.
class CodeTestsSpec : public RewardSpec {
 public:
  enum class Value { all, share };
  static constexpr std::array<std::string_view, 2> value_names{"all", "share"};

  std::string key;
  Value value = Value::all;
  bool challenge = false;
  std::string python = "/usr/bin/python3";
  Seconds seconds{10};
  Bytes memory{512 << 20};
  std::int64_t workers = 4;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
