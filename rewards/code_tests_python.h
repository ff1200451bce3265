#pragma once

#include <string_view>

namespace hone {

/// The three Python files that run tests against a program; standard library of Python 3.8 or newer. The judge holds
/// the tests and asks, the candidate holds the program and answers; plain data crosses between them, as JSON.
extern const std::string_view code_tests_plain;      ///< plain.py: both sides
extern const std::string_view code_tests_judge;      ///< judge.py: a task on stdin, one verdict on stdout
extern const std::string_view code_tests_candidate;  ///< candidate.py: runs prelude.py and program.py, then answers

}  // namespace hone
