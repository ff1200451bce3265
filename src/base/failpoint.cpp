#include "base/failpoint.h"

#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <string>

namespace hone {

namespace {

struct Plan {
  std::string name;
  long at = 0;
};

Plan read_plan() {
  const char* text = std::getenv("HONE_FAILPOINT");
  if (text == nullptr) return {};
  const std::string plan = text;
  const std::size_t at = plan.find('@');
  return at == std::string::npos ? Plan{plan, 1} : Plan{plan.substr(0, at), std::atol(plan.c_str() + at + 1)};
}

}  // namespace

void failpoint(const char* name) {
  static const Plan plan = read_plan();
  static std::atomic<long> reached = 0;
  if (plan.name == name && ++reached == plan.at) ::raise(SIGKILL);
}

}  // namespace hone
