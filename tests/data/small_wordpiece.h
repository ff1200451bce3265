#pragma once

#include <memory>

#include "support/scratch.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"

namespace hone::test {

/// A BERT vocabulary: 0 [PAD], 1 [UNK], 2 [CLS], 3 [SEP], 4 [MASK], then 5 a, 6 b, 7 c, 8 d, 9 ##a, 10 ##b, 11 ##c, 12 ##d.
inline std::unique_ptr<Tokenizer> small_wordpiece(const Scratch& scratch) {
  std::filesystem::create_directory(scratch.path() / "wordpiece");
  scratch.file("wordpiece/vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd\n##a\n##b\n##c\n##d\n");
  return load_tokenizer(scratch.path() / "wordpiece");
}

}  // namespace hone::test
