#include "fuzz/tokenizer_check.h"
#include "text/tokenizer_json.h"

#include <cstdint>

/// Any bytes are a tokenizer.json that works, or an Error that says why not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::unique_ptr<hone::Tokenizer> tokenizer;
  try {
    tokenizer = hone::tokenizer_from_json(hone::Json::parse(bytes, "input"), {}, "input", [](const auto&) {});
  } catch (const hone::Error& error) {
    HONE_ASSERT(error.kind() == hone::ErrorKind::data);
    return 0;
  }
  try {
    hone::check_tokenizer(*tokenizer, true);
  } catch (const hone::Error& error) {  // a pattern that matches without end, a text without an id for unknown ones
    HONE_ASSERT(error.kind() == hone::ErrorKind::data);
  }
  return 0;
}
