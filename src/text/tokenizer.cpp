#include "text/tokenizer.h"

#include "base/error.h"
#include "base/utf8.h"

namespace hone {

std::string Tokenizer::decode_bytes(std::span<const std::int32_t> ids, SkipSpecial skip) const {
  std::string bytes;
  for (const std::int32_t id : ids) {
    if (id < 0 || id >= vocab_size()) {
      fail(ErrorKind::data, "token id {} is outside the tokenizer's vocabulary of {}", id, vocab_size());
    }
    if (skip == SkipSpecial::no || !is_special(id)) bytes += id_to_bytes(id);
  }
  return bytes;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, SkipSpecial skip) const {
  return valid_utf8(decode_bytes(ids, skip));
}

}  // namespace hone
