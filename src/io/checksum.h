#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace hone {

/// XXH3, 64 bits, as 16 hexadecimal digits.
std::string checksum(std::string_view bytes);
std::string file_checksum(const std::filesystem::path& path);

}  // namespace hone
