#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "flow/environment.h"

namespace hone {

/// Sums, differences and products of whole numbers, made as they are needed:
///
///     "37+58="  →  "95"      reference {"answer": "95"}
///
/// Operands are all numbers with `min_digits` to `max_digits` digits (0 counts as one digit), equally likely. A problem
/// and its mirror image (58+37) are one problem where the operation commutes, so neither leaks into the other split.
/// Which problems are held out is fixed by the configuration alone; the seed only decides in which order the training
/// problems come. Both splits hold each problem text once.
class ArithmeticSpec : public EnvironmentSpec {
 public:
  std::vector<std::string> operations{"+"};
  std::int64_t min_digits = 1;
  std::int64_t max_digits = 2;
  std::int64_t held_out = 1000;

  void describe(Fields& f) override;
  std::unique_ptr<Environment> make(const Services& services) const override;
};

}  // namespace hone
