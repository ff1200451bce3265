#include "text/tiktoken_ranks.h"

#include "base/error.h"
#include "io/file.h"
#include "text/base64.h"
#include "text/byte_map.h"
#include "text/split_patterns.h"

#include <algorithm>
#include <charconv>

namespace hone {
namespace {

void read_line(std::string_view line, const std::string& where, BpeSpec& spec) {
  const std::size_t space = line.find(' ');
  const auto bytes = from_base64(line.substr(0, space));
  std::size_t rank = 0;
  const char* end = line.data() + line.size();
  const auto parsed = std::from_chars(line.data() + std::min(space + 1, line.size()), end, rank);
  if (space == std::string_view::npos || !bytes || bytes->empty() || parsed.ec != std::errc() || parsed.ptr != end) {
    fail(ErrorKind::data, "{}: expected a token in base64, a space and its rank, found \"{}\"", where,
         line.substr(0, 60));
  }
  if (rank < spec.tokens.size()) fail(ErrorKind::data, "{}: rank {} is out of order", where, rank);
  if (rank > spec.tokens.size() + 1000) fail(ErrorKind::data, "{}: rank {} leaves a great gap", where, rank);
  spec.tokens.resize(rank);
  spec.tokens.push_back(*bytes);
}

}  // namespace

BpeSpec read_tiktoken_ranks(const std::filesystem::path& path) {
  BpeSpec spec;
  const std::string contents = read_file(path);
  std::string_view text = contents;
  for (std::int64_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) read_line(text.substr(0, end), fmt::format("{}:{}", path.string(), number), spec);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const ByteMap ids(spec.tokens);
  for (const std::string& token : spec.tokens) {
    std::vector<std::pair<std::int32_t, std::int32_t>> merges;
    for (std::size_t cut = 1; cut < token.size(); ++cut) {
      const std::int32_t left = ids.find(std::string_view(token).substr(0, cut));
      const std::int32_t right = left < 0 ? -1 : ids.find(std::string_view(token).substr(cut));
      if (right >= 0) merges.emplace_back(left, right);
    }
    std::sort(merges.begin(), merges.end());
    spec.merges.insert(spec.merges.end(), merges.begin(), merges.end());
  }
  spec.splits = {std::string(kLlama3Split)};
  spec.byte_level_split = false;
  spec.ignore_merges = true;
  return spec;
}

BpeSpec read_tiktoken_encoding(const std::filesystem::path& path) {
  BpeSpec spec = read_tiktoken_ranks(path);
  const std::string name = path.filename().string();
  if (name.starts_with("r50k_base") || name.starts_with("p50k_base")) {
    spec.splits = {std::string(kGpt2Split)};
    spec.added = {{.id = 50256, .text = "<|endoftext|>"}};
  } else if (name.starts_with("cl100k_base")) {
    spec.added = {{.id = 100257, .text = "<|endoftext|>"},
                  {.id = 100258, .text = "<|fim_prefix|>"},
                  {.id = 100259, .text = "<|fim_middle|>"},
                  {.id = 100260, .text = "<|fim_suffix|>"},
                  {.id = 100276, .text = "<|endofprompt|>"}};
  }
  return spec;
}

}  // namespace hone
