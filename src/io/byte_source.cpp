#include "io/byte_source.h"

#include "base/error.h"
#include "io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>

namespace hone {
namespace {

constexpr unsigned kChunk = 1U << 18;

gzFile handle(void* file) { return static_cast<gzFile>(file); }

}  // namespace

void ByteSource::Close::operator()(void* file) const { gzclose_r(handle(file)); }

ByteSource::ByteSource(const std::filesystem::path& path) : path_(path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_system("cannot open", path, errno);
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
    ::close(fd);
    fail_system("cannot read", path, EISDIR);
  }
  file_.reset(::gzdopen(fd, "rb"));  // zlib hands files that are not compressed through as they are
  HONE_ASSERT(file_ != nullptr);
  ::gzbuffer(handle(file_.get()), kChunk);
  const bool empty = status.st_size == 0 && S_ISREG(status.st_mode);
  if (path.extension() == ".gz" && !empty && ::gzdirect(handle(file_.get())) != 0) {
    fail(ErrorKind::data, "{}: not a gzip file, though its name ends in .gz", path.string());
  }
}

bool ByteSource::read(std::string& out) {
  const std::size_t size = out.size();
  out.resize(size + kChunk);
  const int got = ::gzread(handle(file_.get()), out.data() + size, kChunk);
  out.resize(size + static_cast<std::size_t>(got > 0 ? got : 0));
  int error = Z_OK;
  const char* message = ::gzerror(handle(file_.get()), &error);
  if (error == Z_ERRNO) fail_system("cannot read", path_, errno);
  if (got < 0 || error == Z_BUF_ERROR) {
    fail(ErrorKind::data, "{}: {}; fetch the file again", path_.string(),
         error == Z_BUF_ERROR ? "the compressed data ends too early" : message);
  }
  return got > 0;
}

}  // namespace hone
