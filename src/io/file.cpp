#include "io/file.h"

#include "base/error.h"
#include "base/failpoint.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace hone {
namespace {

namespace fs = std::filesystem;

FileDescriptor open_or_fail(const fs::path& path, int flags, std::string_view action) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  if (fd < 0) fail_system(action, path, errno);
  return FileDescriptor(fd);
}

void write_all(int fd, const std::byte* data, std::size_t size, const fs::path& path) {
  failpoint("write.before");
  while (size > 0) {
    const ssize_t written = ::write(fd, data, size);
    if (written < 0) {
      if (errno == EINTR) continue;
      fail_system("cannot write", path, errno);
    }
    data += written;
    size -= static_cast<std::size_t>(written);
  }
  failpoint("write.after");
}

fs::path directory_of(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

void fail_system(std::string_view action, const fs::path& path, int error) {
  const bool denied = error == EACCES || error == EPERM || error == EROFS;
  fail(denied ? ErrorKind::permission : ErrorKind::io, "{} {}: {}", action, path.string(), std::strerror(error));
}

void make_directories(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) fail_system("cannot create the directory", directory, error.value());
}

std::string read_file(const fs::path& path) {
  const FileDescriptor file = open_or_fail(path, O_RDONLY, "cannot open");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail_system("cannot inspect", path, errno);
  if (S_ISDIR(status.st_mode)) fail_system("cannot read", path, EISDIR);
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t size = 0;
  while (true) {
    if (size == text.size()) text.resize(text.size() + 4096);  // pipes, /proc, and the end of a file
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_system("cannot read", path, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

void write_file_atomic(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void sync_path(const fs::path& path) {
  const FileDescriptor file = open_or_fail(path, O_RDONLY, "cannot open");
  failpoint("sync.before");
  // EINVAL: a file system that cannot flush directories; there is nothing more to do then.
  if (::fsync(file.get()) != 0 && errno != EINVAL) fail_system("cannot flush", path, errno);
  failpoint("sync.after");
}

AtomicFile::AtomicFile(fs::path path)
    : path_(std::move(path)),
      temporary_(directory_of(path_) / (".tmp-" + path_.filename().string() + "-" + std::to_string(::getpid()))),
      file_(open_or_fail(temporary_, O_WRONLY | O_CREAT | O_TRUNC, "cannot create")) {}

AtomicFile::~AtomicFile() {
  if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  write_all(file_.get(), bytes.data(), bytes.size(), path_);
}

void AtomicFile::commit() {
  if (::fsync(file_.get()) != 0) fail_system("cannot flush", path_, errno);
  failpoint("rename.before");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_system("cannot rename a finished file to", path_, errno);
  failpoint("rename.after");
  committed_ = true;
  sync_path(directory_of(path_));
}

}  // namespace hone
