#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "flow/types.h"

namespace hone {

/// A programming task with tests, as its data set has it.
///
///     HumanEval   {"prompt", "entry_point", "canonical_solution", "test"}: `test` defines check(candidate)
///     MBPP        {"test_list": ["assert …", …], "test_setup_code", "test_imports", "code", "challenge_test_list"}
struct CodeTask {
  std::string prompt;       ///< HumanEval: the code that the completion continues; else empty
  std::string entry_point;  ///< HumanEval: the name of the function; else empty
  std::string setup;        ///< runs before the tests
  std::string tests;
  std::string reference;  ///< a solution that is known to be right, or empty; tells which names are the program's
};

/// Reads either format; keys that it does not need may be missing. `challenge`: MBPP's challenge_test_list too.
/// Error{data} that says what is missing.
CodeTask code_task(const Json& reference, const Prompt& prompt, bool challenge);

/// The program in a completion: its last fenced block (``` or ```python) that defines `entry_point`, else its last
/// fenced block, else all of it.
std::string program_in(std::string_view completion, std::string_view entry_point);

/// True when a line of the program begins a function or class of this name, or assigns to it.
bool defines(std::string_view program, std::string_view name);

}  // namespace hone
