#include "base/error.h"

#include <cstdio>
#include <cstdlib>

namespace hone {

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "hone: internal error: %s is false at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace hone
