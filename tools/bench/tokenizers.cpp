// Encodes and decodes with a tokenizer, for comparison with others:
//   tokenizers MODEL encode|decode [--add] [--parse] [--offsets] [--stream]    JSON lines on stdin, JSON lines on stdout
//   tokenizers MODEL time FILE                                                 MB/s of encoding a file at once and by lines
#include "base/error.h"
#include "base/json.h"
#include "io/file.h"
#include "text/token_lines.h"
#include "text/tokenizer_json.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>

namespace {

using namespace hone;

template <class Work>
void report(const char* what, std::size_t bytes, const Work& work) {
  for (int round = 0; round < 3; ++round) {
    const auto start = std::chrono::steady_clock::now();
    const std::size_t count = work();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%s %.2f MB/s %zu ids\n", what, static_cast<double>(bytes) / 1e6 / seconds.count(), count);
  }
}

void time_encoding(const Tokenizer& tokenizer, const std::string& file) {
  const std::string text = read_file(file);
  report("whole", text.size(), [&] { return tokenizer.encode(text).size(); });
  report("lines", text.size(), [&] {
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      count += tokenizer.encode(std::string_view(text).substr(at, end - at)).size();
      at = end + 1;
    }
    return count;
  });
}

/// Decodes id by id; each part must be valid UTF-8 by itself.
void stream_lines(const Tokenizer& tokenizer, SkipSpecial skip) {
  for (std::string line; std::getline(std::cin, line);) {
    std::string text;
    const auto stream = tokenizer.decode_stream(skip);
    const Json ids = Json::parse(line, "stdin");
    for (const Json& id : ids.as_array()) {
      text += Json::parse(Json(stream->push(static_cast<std::int32_t>(id.as_integer()))).dump(), "a part").as_string();
    }
    text += stream->finish();
    std::cout << Json(text).dump() << '\n';
  }
}

int run(const std::vector<std::string>& arguments) {
  const auto has = [&](const char* flag) {
    return std::find(arguments.begin(), arguments.end(), flag) != arguments.end();
  };
  const auto tokenizer = load_tokenizer(arguments.at(1));
  const std::string& action = arguments.at(2);
  const SkipSpecial skip = has("--keep") ? SkipSpecial::no : SkipSpecial::yes;
  if (action == "time") {
    time_encoding(*tokenizer, arguments.at(3));
  } else if (action == "encode") {
    encode_lines(*tokenizer, std::cin, std::cout,
                 {.add = has("--add") ? AddSpecial::yes : AddSpecial::no,
                  .special = has("--parse") ? SpecialTokens::parse : SpecialTokens::as_text,
                  .offsets = has("--offsets")});
  } else if (has("--stream")) {
    stream_lines(*tokenizer, skip);
  } else {
    decode_lines(*tokenizer, std::cin, std::cout, skip);
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) {
    std::fputs("usage: tokenizers MODEL encode|decode|time …\n", stderr);
    return 2;
  }
  try {
    std::ios::sync_with_stdio(false);
    return run({words, words + count});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
