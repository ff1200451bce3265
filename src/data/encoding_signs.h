#pragma once

#include <string_view>

namespace hone {

/// Signs in a text that something went wrong before it came here. Valid UTF-8 is assumed.
struct EncodingSigns {
  bool replacement = false;    ///< U+FFFD: bytes that could not be read
  bool mojibake = false;       ///< UTF-8 that was read as Latin-1 or Windows-1252, like "Ã©" for é
  bool control = false;        ///< characters that show nothing (is_invisible)
  bool mixed_scripts = false;  ///< one word of Latin and Cyrillic or Greek letters
  bool html = false;           ///< tags or entities
  bool not_composed = false;   ///< not in Unicode's form C
};
EncodingSigns encoding_signs(std::string_view text);

/// "Latin", "Han" …: the script of most of its letters; "none" without letters, "other" for one not known here.
std::string_view main_script(std::string_view text);

}  // namespace hone
