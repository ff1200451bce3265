#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hone {

/// Base64 of RFC 4648, section 4, with its padding.
std::string to_base64(std::string_view bytes);
/// The bytes of a text in base64, padded or not; nothing when it is not base64.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace hone
