#include "io/checksum.h"

#include "io/mapped_file.h"

#include <fmt/format.h>
#include <xxhash.h>

namespace hone {

std::string checksum(std::string_view bytes) {
  return fmt::format("{:016x}", XXH3_64bits(bytes.data(), bytes.size()));
}

std::string file_checksum(const std::filesystem::path& path) {
  const MappedFile file(path);
  return checksum({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()});
}

}  // namespace hone
