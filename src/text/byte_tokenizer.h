#pragma once

#include "text/tokenizer.h"

namespace hone {

/// The plain byte tokenizer: id = byte value for 0…255, then `<|eos|>` 256, `<|bos|>` 257, `<|pad|>` 258.
/// Saved, it is a byte-level BPE without merges.
std::unique_ptr<Tokenizer> byte_tokenizer();

}  // namespace hone
