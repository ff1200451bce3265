#pragma once

#include "text/bpe_spec.h"

#include <filesystem>

namespace hone {

/// A tiktoken file: lines of a token's bytes in base64 and its rank, which is its id. Two neighbours merge when their
/// bytes together are a token, the lowest rank first; here as merges, ordered by the rank of what they give; a piece
/// that is a token stays whole.
/// The file does not say how text is split; the result splits as Llama 3 does. No added tokens. Error{data} names
/// file and line.
BpeSpec read_tiktoken_ranks(const std::filesystem::path& path);

/// The same, with the split and the special tokens of the encoding that the file's name begins with: r50k_base,
/// p50k_base or cl100k_base.
BpeSpec read_tiktoken_encoding(const std::filesystem::path& path);

}  // namespace hone
