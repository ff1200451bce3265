#include <cstdio>
#include <cstring>

#include "plugin/host/serve_library.h"
#include "plugin/host/supervise.h"
#include "plugin/sandbox/sandbox_main.h"

/// The program in which foreign code runs, so that it cannot take hone down. hone starts it; people need not.
int main(int argc, char** argv) {
  const char* task = argc > 1 ? argv[1] : "";
  if (std::strcmp(task, "supervise") == 0) return hone::supervise(argc - 2, argv + 2);
  if (std::strcmp(task, "serve") == 0) return hone::serve_library(argc - 2, argv + 2);
  if (std::strcmp(task, "sandbox") == 0) return hone::sandbox_main(argc - 2, argv + 2);
  std::fprintf(stderr, "hone-plugin-host: expected supervise, serve or sandbox; hone starts this program itself\n");
  return 2;
}
