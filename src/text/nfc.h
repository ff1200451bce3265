#pragma once

#include <string>
#include <string_view>

namespace hone {

/// Unicode normalisation form C (UAX #15) of valid UTF-8, by the tables of nfc_tables.h.
std::string to_nfc(std::string_view text);
/// Quick and one-sided: true means that `text` is in form C (nothing in it composes or decomposes); false that it
/// may not be.
bool is_surely_nfc(std::string_view text);

}  // namespace hone
