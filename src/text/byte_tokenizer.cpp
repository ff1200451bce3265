#include "text/byte_tokenizer.h"

#include "text/bpe_tokenizer.h"

namespace hone {

std::unique_ptr<Tokenizer> byte_tokenizer() {
  BpeSpec spec;
  for (int byte = 0; byte < 256; ++byte) spec.tokens.emplace_back(1, static_cast<char>(byte));
  spec.added = {{.id = 256, .text = "<|eos|>"}, {.id = 257, .text = "<|bos|>"}, {.id = 258, .text = "<|pad|>"}};
  spec.byte_level_split = false;
  spec.eos = "<|eos|>";
  spec.bos = "<|bos|>";
  spec.pad = "<|pad|>";
  return make_bpe_tokenizer(std::move(spec), "the byte tokenizer");
}

}  // namespace hone
