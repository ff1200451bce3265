#include "text/byte_alphabet.h"

#include "text/code_points.h"

#include <algorithm>

namespace hone {
namespace {

constexpr char32_t kOthers = 0x100;  // character of the first byte that does not stand for itself

constexpr bool is_printable(int byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

struct Alphabet {
  std::array<char32_t, 256> character{};
  std::array<int, kOthers + 68> byte{};  // -1: no byte
  std::array<unsigned char, 256> order{};
};

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  for (int& byte : alphabet.byte) byte = -1;
  char32_t other = kOthers;
  for (int byte = 0; byte < 256; ++byte) {
    const auto index = static_cast<std::size_t>(byte);
    alphabet.character[index] = is_printable(byte) ? static_cast<char32_t>(byte) : other++;
    alphabet.byte[alphabet.character[index]] = byte;
  }
  std::size_t rank = 0;
  for (const int byte : alphabet.byte) {
    if (byte >= 0) alphabet.order[rank++] = static_cast<unsigned char>(byte);
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

char32_t byte_character(char byte) { return kAlphabet.character[static_cast<unsigned char>(byte)]; }

std::string to_byte_alphabet(std::string_view bytes) {
  std::string spelled;
  for (const char byte : bytes) append_utf8(spelled, kAlphabet.character[static_cast<unsigned char>(byte)]);
  return spelled;
}

std::optional<std::string> from_byte_alphabet(std::string_view spelled) {
  std::string bytes;
  for (std::size_t at = 0; at < spelled.size();) {
    const char32_t point = next_code_point(spelled, at);
    if (point >= kAlphabet.byte.size() || kAlphabet.byte[point] < 0) return std::nullopt;
    bytes += static_cast<char>(kAlphabet.byte[point]);
  }
  return bytes;
}

const std::array<unsigned char, 256>& bytes_in_alphabet_order() { return kAlphabet.order; }

}  // namespace hone
