#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "flow/environment.h"

namespace hone {

/// Problems of three numbers and a calculator to call, over several turns:
///
///     "… What is (37 + 58) * 12?\n"
///       →  <tool_call>{"name": "calculate", "arguments": {"expression": "(37+58)*12"}}</tool_call>
///       ←  <tool_response>1140</tool_response>, each tag on a line of its own
///       →  "1140"                                          reference {"answer": "1140", "expression": "(37+58)*12"}
///
/// A turn without a call is the answer and ends the episode; its last number counts. What is wrong with a call (no
/// JSON, another name, no expression, division by zero, too many) comes back as the response. The episode also ends
/// after `turns` completions. Rewards of turns: 1 for the right answer, 0 for a wrong one and for calls, −`error_cost`
/// for a turn with a call that failed.
///
/// Which problems are held out is fixed by the configuration alone; the seed decides the order of the others. Both
/// splits hold each text once. The demonstration is the call of the first turn.
class CalculatorSpec : public EnvironmentSpec {
 public:
  std::vector<std::string> problems{"numbers", "words"};
  std::int64_t digits = 2;
  std::int64_t held_out = 500;
  std::int64_t turns = 4;
  std::int64_t calls = 1;
  double error_cost = 0.1;
  bool instructions = true;

  void describe(Fields& f) override;
  std::unique_ptr<Environment> make(const Services& services) const override;
};

}  // namespace hone
