#include "text/wordpiece.h"

#include "base/error.h"
#include "base/utf8.h"

#include <algorithm>

namespace hone {
namespace {

std::vector<std::string> continuing_tokens(const WordPieceSpec& spec) {
  std::vector<std::string> result;
  const std::string& prefix = spec.continuing_subword_prefix;
  for (const std::string& token : spec.tokens) {
    result.push_back(token.starts_with(prefix) ? token.substr(prefix.size()) : "");
  }
  return result;
}

std::size_t greatest_size(const std::vector<std::string>& tokens) {
  std::size_t greatest = 0;
  for (const std::string& token : tokens) greatest = std::max(greatest, token.size());
  return greatest;
}

}  // namespace

WordPieceModel::WordPieceModel(WordPieceSpec spec, const std::string& source)
    : tokens_(spec.tokens),
      continuing_(continuing_tokens(spec)),
      longest_token_(greatest_size(spec.tokens)),
      longest_continuing_(longest_token_ - std::min(longest_token_, spec.continuing_subword_prefix.size())),
      most_characters_(static_cast<std::size_t>(std::max<std::int64_t>(spec.max_input_chars_per_word, 0))),
      unk_token_(std::move(spec.unk_token)),
      unknown_(tokens_.id(unk_token_)),
      source_(source) {}

/// The longest token that `text` opens with, at most `bound` bytes; -1 for none.
std::int32_t WordPieceModel::longest(const TokenMap& tokens, std::string_view text, std::size_t bound,
                                     std::size_t& length) const {
  length = std::min(text.size(), bound);
  for (; length > 0; --length) {
    const bool is_border = length == text.size() || (static_cast<unsigned char>(text[length]) & 0xC0) != 0x80;
    if (!is_border) continue;
    if (const std::int32_t id = tokens.find(text.substr(0, length)); id >= 0) return id;
  }
  return -1;
}

void WordPieceModel::tokenize(std::string_view piece, std::vector<Subword>& tokens) const {
  const std::size_t before = tokens.size();
  bool known = piece.size() <= most_characters_ || utf8_length(piece) <= most_characters_;
  for (std::size_t at = 0; known && at < piece.size();) {
    std::size_t length = 0;
    const std::int32_t id = at == 0 ? longest(tokens_, piece, longest_token_, length)
                                    : longest(continuing_, piece.substr(at), longest_continuing_, length);
    known = id >= 0;
    if (known) tokens.push_back({id, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + length)});
    at += length;
  }
  if (known) return;
  if (!unknown_) {
    fail(ErrorKind::data, "{}: the text holds \"{}\", which the vocabulary cannot express, and unk_token \"{}\" is not "
         "in it", source_, piece.substr(0, 60), unk_token_);
  }
  tokens.resize(before);
  tokens.push_back({*unknown_, 0, static_cast<std::uint32_t>(piece.size())});
}

}  // namespace hone
