#pragma once

#include "text/bpe_spec.h"
#include "text/tokenizer.h"

namespace hone {

/// The tokenizer that `spec` describes. `source` is what messages call it (a file). Error{data} for a description
/// that contradicts itself: merges or named tokens outside the vocabulary, ids used twice.
std::unique_ptr<Tokenizer> make_bpe_tokenizer(BpeSpec spec, const std::string& source);

}  // namespace hone
