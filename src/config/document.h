#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "config/node.h"
#include "config/problems.h"

namespace hone {

/// Bounds on what a file may make the reader do.
inline constexpr std::size_t max_document_bytes = std::size_t{16} << 20;
inline constexpr std::size_t max_document_depth = 64;       ///< lists and maps inside each other, aliases included
inline constexpr std::size_t max_document_values = 250000;  ///< copies made by anchors and aliases included

/// Parses one YAML document through yaml-cpp's events (its `YAML::Load` accepts duplicate keys and knows no `<<`).
/// An empty document gives a null node.
///
/// Duplicate keys and unusable merges are added to `problems`, and parsing goes on. Broken syntax, bytes that are not
/// UTF-8 text, tags, several documents and what exceeds the bounds end it: Error{config} with everything so far.
Node parse_document(std::string_view text, const std::string& source, Problems& problems);

/// Reads and parses a file; messages call it by the path given. Error{config} when it cannot be read.
Node read_document(const std::filesystem::path& path, Problems& problems);

/// The bytes of a file, or why they cannot be had.
struct FileText {
  std::string text;
  std::string failure;  ///< empty: `text` holds the file
};
FileText read_file_text(const std::filesystem::path& path);

}  // namespace hone
