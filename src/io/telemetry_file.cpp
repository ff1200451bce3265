#include "io/telemetry_file.h"

#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hone {

namespace {

constexpr std::size_t most_pending = std::size_t{64} << 20;  // bytes kept while the disk takes none

FileDescriptor open_file(const std::filesystem::path& path) {
  return FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
}

/// Writes at `offset`; 0 or the errno of the failure.
int write_at(int fd, std::string_view bytes, std::int64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
  return 0;
}

}  // namespace

TelemetryFile::TelemetryFile(std::filesystem::path path, std::optional<std::int64_t> keep)
    : path_(std::move(path)), file_(open_file(path_)) {
  if (file_.get() < 0) fail_system("cannot open", path_, errno);
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) fail_system("cannot inspect", path_, errno);
  size_ = status.st_size;
  if (!keep) return;
  if (size_ < *keep) {
    log_warn("{}: {} bytes, {} were written before: what is missing was deleted or lost", path_.string(), size_, *keep);
  } else if (size_ > *keep) {
    if (::ftruncate(file_.get(), *keep) != 0) fail_system("cannot shorten", path_, errno);
    size_ = *keep;
  }
}

void TelemetryFile::append(std::string_view record) {
  if (pending_.size() + record.size() > most_pending) return;  // told when the writes began to fail
  pending_ += record;
  failpoint("append.before");
  struct stat status {};
  if (file_.get() < 0 || (::fstat(file_.get(), &status) == 0 && status.st_nlink == 0)) bring_back();
  if (file_.get() >= 0 && write_pending() && failing_) {
    failing_ = false;
    log_info("{}: written again, nothing was lost", path_.string());
  }
  failpoint("append.after");
}

bool TelemetryFile::write_pending() {
  if (const int error = write_at(file_.get(), pending_, size_); error != 0) {
    [[maybe_unused]] const int kept = ::ftruncate(file_.get(), size_);  // no half record stays
    report_failure(error);
    return false;
  }
  size_ += static_cast<std::int64_t>(pending_.size());
  pending_.clear();
  return true;
}

/// The deleted file is still readable through its descriptor.
void TelemetryFile::bring_back() {
  FileDescriptor anew = open_file(path_);
  if (anew.get() < 0) return report_failure(errno);
  std::string bytes(static_cast<std::size_t>(size_), '\0');
  const ssize_t got = ::pread(file_.get(), bytes.data(), bytes.size(), 0);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (const int error = write_at(anew.get(), bytes, 0); error != 0) {
    ::unlink(path_.c_str());
    return report_failure(error);
  }
  log_warn("{}: was removed while the run goes on; written again", path_.string());
  file_ = std::move(anew);
  size_ = static_cast<std::int64_t>(bytes.size());
}

std::int64_t TelemetryFile::sync() {
  if (!pending_.empty()) append("");
  if (file_.get() >= 0 && ::fsync(file_.get()) != 0 && errno != EINVAL) report_failure(errno);
  return size_;
}

void TelemetryFile::report_failure(int error) {
  if (failing_) return;
  failing_ = true;
  log_error("{}: cannot write: {}; the run goes on and tries again (rows are kept in memory, up to 64 MiB)", path_.string(),
            std::strerror(error));
}

}  // namespace hone
