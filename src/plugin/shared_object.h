#pragma once

#include <filesystem>

namespace hone {

/// Looks at a file's ELF header and segments, so that what is no shared library of this machine is named before the
/// dynamic loader touches it: it would read a cut-off file beyond its end and crash.
///
/// Error{io} when it is missing, no regular file or not readable; Error{config} saying what it is when it is not a
/// shared library, of another machine or incomplete.
void check_shared_object(const std::filesystem::path& path);

}  // namespace hone
