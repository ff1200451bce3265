#include "fuzz/tokenizer_check.h"
#include "text/sentencepiece/model.h"
#include "text/sentencepiece/tokenizer.h"

#include <cstdint>

/// Any bytes are a SentencePiece model that works, or an Error that says why not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::unique_ptr<hone::Tokenizer> tokenizer;
  try {
    tokenizer = hone::make_sentencepiece_tokenizer(hone::parse_sentencepiece(bytes, "input"), "input", [](const auto&) {});
  } catch (const hone::Error& error) {
    HONE_ASSERT(error.kind() == hone::ErrorKind::data);
    return 0;
  }
  hone::check_tokenizer(*tokenizer, false);
  return 0;
}
