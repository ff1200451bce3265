#pragma once

#include "text/sentencepiece/model.h"
#include "text/tokenizer.h"

#include <functional>

namespace hone {

/// A SentencePiece model with the ids of the sentencepiece library, for files without the configuration that tells how
/// transformers reads them. `source` names the file in messages. AddSpecial adds nothing; SpecialTokens::parse finds
/// control pieces, and each stretch between them is encoded as a text of its own. It saves what `save` says.
/// Error{data} as SentencePieceEncoder says.
std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(SentencePieceModel model, const std::string& source,
                                                        std::function<void(const std::filesystem::path&)> save);

}  // namespace hone
