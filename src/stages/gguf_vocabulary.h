#pragma once

#include "base/json.h"
#include "io/gguf.h"

#include <optional>

namespace hone {

/// What llama.cpp knows of a tokenizer.
struct GgufVocabulary {
  enum class Kind : std::int32_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

  std::string model;  ///< "gpt2": byte-level BPE; "llama": SentencePiece BPE with byte fallback
  std::string pre;    ///< llama.cpp's name of how text is split before the merges
  std::vector<std::string> tokens;
  std::vector<Kind> kinds;
  std::vector<float> scores;        ///< SentencePiece: the greatest is merged first
  std::vector<std::string> merges;  ///< byte-level BPE: "left right"
  std::optional<std::int64_t> bos, eos, unknown, pad;
  bool add_bos = false;
  bool add_eos = false;
  std::optional<bool> add_space_prefix;
  std::string chat_template;
};

/// Reads the contents of tokenizer.json and tokenizer_config.json (null when absent); bos, eos and pad that the
/// latter does not name come from config.json. The vocabulary is filled up to `size` with unused tokens. A
/// SentencePiece vocabulary's scores are minus the rank of the first merge that makes the token, which gives the same
/// order of merges. Error{data} for a tokenizer that llama.cpp would split or merge otherwise, naming the key. Two
/// differences remain, as in llama.cpp's own conversion: byte-level text is not brought to NFC, and the space that
/// Metaspace leaves out before text that begins with one is added, as SentencePiece does.
GgufVocabulary read_gguf_vocabulary(const Json& tokenizer, const Json& tokenizer_config, const Json& config,
                                    std::int64_t size);

/// The keys under `tokenizer.`.
std::vector<std::pair<std::string, GgufValue>> gguf_vocabulary_keys(const GgufVocabulary& vocabulary);

}  // namespace hone
