#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace hone {

/// The bytes of a file in order; those of a `.gz` file unpacked. Error{io} or Error{permission} when the system
/// refuses, Error{data} for a broken or truncated .gz.
class ByteSource {
 public:
  explicit ByteSource(const std::filesystem::path& path);

  /// Appends the next stretch of bytes to `out`; false at the end.
  bool read(std::string& out);

 private:
  struct Close {
    void operator()(void* file) const;
  };
  std::filesystem::path path_;
  std::unique_ptr<void, Close> file_;
};

}  // namespace hone
