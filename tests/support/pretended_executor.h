#pragma once

#include <functional>
#include <string>
#include <utility>

#include "flow/services.h"

namespace hone::test {

/// Stands for the sandbox: answers what the test tells it to.
class PretendedExecutor : public Executor {
 public:
  using Outcome = Executor::Outcome;
  using Program = Executor::Program;

  explicit PretendedExecutor(std::function<Outcome(const Program&)> answer) : answer_(std::move(answer)) {}
  Outcome run(const Program& program) override { return answer_(program); }
  std::string layers() const override { return "none"; }

 private:
  std::function<Outcome(const Program&)> answer_;
};

}  // namespace hone::test
