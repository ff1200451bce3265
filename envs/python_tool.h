#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "flow/environment.h"

namespace hone {

/// Prompts of a data set, answered with the help of Python: what a turn asks to run is run in the sandbox, and its
/// output is the reply.
///
///     "What is 2**100 % 97?"  →  ```python                      ←  <tool_response>
///                                 print(2**100 % 97)                 16
///                                 ```                                </tool_response>   →  "answer: 16"
///
/// A turn asks by a ```python block (the last one counts) or by a tool call (envs/tool_call.h), {"name": "python",
/// "arguments": {"code": …}}; one that is malformed is told so. A line that begins with `answer:`, or a turn that asks
/// for nothing, ends the episode. Every run starts anew: only files and variables of the same turn exist.
class PythonToolSpec : public EnvironmentSpec {
 public:
  std::string data;
  std::int64_t turns = 5;
  std::int64_t reply_bytes = 2048;
  std::string python = "/usr/bin/python3";
  Seconds seconds{5};
  Bytes memory{512 << 20};

  void describe(Fields& f) override;
  std::unique_ptr<Environment> make(const Services& services) const override;
};

}  // namespace hone
