#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hone {

/// GPT-2's byte alphabet, in which tokenizer.json spells tokens: printable bytes (33–126, 161–172, 174–255) stand for
/// themselves, the other 68 are the characters from U+0100 on ("Ġ" is the space).
char32_t byte_character(char byte);
std::string to_byte_alphabet(std::string_view bytes);
/// Nothing when a character is not of the alphabet.
std::optional<std::string> from_byte_alphabet(std::string_view spelled);
/// The 256 bytes in the order of their characters: '!' first, byte 173 last.
const std::array<unsigned char, 256>& bytes_in_alphabet_order();

}  // namespace hone
