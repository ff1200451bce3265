#include "io/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace hone {

LockFile::LockFile(std::filesystem::path path) : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (file_.get() < 0) fail_system("cannot open", path, errno);
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail_system("cannot lock", path, errno);
    std::string holder = read_file(path);
    while (!holder.empty() && holder.back() == '\n') holder.pop_back();
    fail(ErrorKind::io, "{} is in use by {}: wait for that process, stop it, or choose another run.name",
         path.parent_path().string(), holder.empty() ? "another process" : holder);
  }
  char host[256] = "?";
  ::gethostname(host, sizeof host - 1);
  const std::string holder = fmt::format("process {} on {}\n", ::getpid(), host);
  // Only people read it: a disk that is full is told by the first file that matters.
  [[maybe_unused]] const ssize_t written = ::pwrite(file_.get(), holder.data(), holder.size(), 0);
  [[maybe_unused]] const int cut = ::ftruncate(file_.get(), static_cast<off_t>(holder.size()));
}

LockFile::~LockFile() { [[maybe_unused]] const int cut = ::ftruncate(file_.get(), 0); }

}  // namespace hone
