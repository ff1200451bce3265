#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace hone {

/// Every function here throws Error{permission} (EACCES, EPERM, EROFS) or Error{io}, with the path and the system's
/// own words.

/// A file descriptor that closes itself.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  int get() const { return fd_; }

 private:
  int fd_;
};

/// Throws for the system error `error` (an errno) that `action` ("cannot open") met at `path`.
[[noreturn]] void fail_system(std::string_view action, const std::filesystem::path& path, int error);

/// Creates a directory and its parents; an existing one is fine.
void make_directories(const std::filesystem::path& directory);

std::string read_file(const std::filesystem::path& path);

/// All of `bytes`, or nothing: after a crash the path holds the old contents or the new ones.
void write_file_atomic(const std::filesystem::path& path, std::string_view bytes);

/// Flushes a file or directory to the disk.
void sync_path(const std::filesystem::path& path);

/// A file written piece by piece under a temporary name beside its own, and given its name by commit(). Without a
/// commit nothing is left behind.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view bytes) { write(std::as_bytes(std::span(bytes))); }
  /// fsync, rename, fsync of the directory.
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  FileDescriptor file_;
  bool committed_ = false;
};

}  // namespace hone
