#pragma once

#include <filesystem>

#include "io/file.h"

namespace hone {

/// A run directory belongs to one process at a time: the one that holds its lock. The lock ends with the process, however
/// that ends.
class LockFile {
 public:
  /// Creates the file and locks it. Error{io} naming the process and host that hold it; Error{permission}.
  explicit LockFile(std::filesystem::path path);
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

 private:
  FileDescriptor file_;
};

}  // namespace hone
