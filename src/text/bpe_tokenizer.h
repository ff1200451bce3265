#pragma once

#include "text/bpe_spec.h"
#include "text/tokenizer.h"

#include <functional>

namespace hone {

/// The tokenizer that `spec` describes. `source` is what messages call it (a file). Error{data} for a description
/// that contradicts itself: merges or named tokens outside the vocabulary, ids used twice.
/// It saves what `save` says, or itself as tokenizer.json.
std::unique_ptr<Tokenizer> make_bpe_tokenizer(BpeSpec spec, const std::string& source,
                                              std::function<void(const std::filesystem::path&)> save = nullptr);

}  // namespace hone
