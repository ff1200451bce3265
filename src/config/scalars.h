#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fields.h"

namespace hone {

/// Each reads the whole text of a plain scalar, or gives nullopt. Digits may be grouped: 1_000_000.
std::optional<std::int64_t> parse_integer(std::string_view text);  ///< also 1e6 and 2.0: exact values only
std::optional<double> parse_number(std::string_view text);         ///< finite
std::optional<Bytes> parse_bytes(std::string_view text);      ///< 4096, 64MiB, 1.5GiB, 2GB: a whole number of bytes
std::optional<Seconds> parse_seconds(std::string_view text);  ///< 30, 90s, 250ms, 5m, 1.5h, 2d
std::optional<bool> parse_bool(std::string_view text);        ///< true, false

/// Each is read back as the same value.
std::string text_of(bool value);
std::string text_of(std::int64_t value);
std::string text_of(double value);  ///< finite
std::string text_of(Bytes value);
std::string text_of(Seconds value);

/// Bounds in the notation of the values: "≥ 1MiB", "in [1s, 5m]".
std::string byte_range_text(const Range& range);
std::string second_range_text(const Range& range);

}  // namespace hone
