// Trains a tokenizer, for comparison with tools/bench/tokenizer_training_peer.py:
//   tokenizer_training bpe|wordpiece|unigram VOCABULARY FILE [DIRECTORY]    seconds as a JSON line; saves into
//   DIRECTORY
#include "base/error.h"
#include "base/json.h"
#include "io/file.h"
#include "text/tokenizer_trainer.h"

#include <chrono>
#include <cstdio>
#include <string>

int main(int count, char** arguments) {
  using namespace hone;
  using Clock = std::chrono::steady_clock;
  if (count < 4) {
    std::fputs("usage: tokenizer_training bpe|wordpiece|unigram VOCABULARY FILE [DIRECTORY]\n", stderr);
    return 2;
  }
  try {
    const std::string text = read_file(arguments[3]);
    const auto start = Clock::now();
    TokenizerTrainer trainer({.kind = tokenizer_kind(arguments[1]), .vocab_size = std::stoi(arguments[2])});
    trainer.add(text);
    const auto tokenizer = trainer.train();
    const std::chrono::duration<double> seconds = Clock::now() - start;
    std::printf("{\"seconds\": %.4f, \"vocabulary\": %d}\n", seconds.count(), tokenizer->vocab_size());
    if (count > 4) {
      make_directories(arguments[4]);
      tokenizer->save(arguments[4]);
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "tokenizer_training: error: %s\n", error.what());
    return error.exit_code();
  }
}
