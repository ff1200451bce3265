#include "text/text_bpe.h"

#include "base/error.h"
#include "text/bpe_merge.h"
#include "text/code_points.h"

#include <algorithm>

namespace hone {

TextBpeModel::TextBpeModel(TextBpeSpec spec, const std::string& source)
    : spec_(std::move(spec)), tokens_(spec_.tokens), merges_(spec_.merges.size()) {
  for (std::size_t byte = 0; byte < 256; ++byte) byte_ids_[byte] = tokens_.find(fmt::format("<0x{:02X}>", byte));
  add_merges(source);
  find_openers();
  spec_.tokens.clear();
  spec_.merges.clear();
}

void TextBpeModel::add_merges(const std::string& source) {
  for (std::size_t rank = 0; rank < spec_.merges.size(); ++rank) {
    const auto& [left, right] = spec_.merges[rank];
    const std::string& tail = tokens_.token(right);
    const std::size_t prefix = spec_.continuing_subword_prefix.size();
    const std::string joined = tokens_.token(left) + tail.substr(std::min(prefix, tail.size()));
    const std::int32_t merged = tokens_.find(joined);
    if (merged < 0) {
      fail(ErrorKind::data, "{}: merge {} joins {} and {}, but {} is not in the vocabulary", source, rank + 1,
           tokens_.token(left), tail, joined);
    }
    merges_.put(left, right, {static_cast<std::uint32_t>(rank), merged});
  }
}

void TextBpeModel::find_openers() {
  const bool affixes = !spec_.continuing_subword_prefix.empty() || !spec_.end_of_word_suffix.empty();
  opens_.assign(static_cast<std::size_t>(tokens_.size()), false);
  if (affixes) return;  // then symbols are not characters
  const auto last_character = [](std::string_view text) {
    std::size_t at = text.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    return text.substr(at);
  };
  const auto first_character = [](std::string_view text) {
    std::size_t at = 0;
    next_code_point(text, at);
    return text.substr(0, at);
  };
  for (std::size_t id = 0; id < opens_.size(); ++id) {
    const std::string& token = tokens_.token(static_cast<std::int32_t>(id));
    opens_[id] = !token.empty() && first_character(token).size() == token.size();
  }
  for (const auto& [left, right] : spec_.merges) {
    if (tokens_.token(left).empty() || tokens_.token(right).empty()) continue;
    const std::string_view first = first_character(tokens_.token(right));
    if (last_character(tokens_.token(left)) == first) continue;
    if (const std::int32_t id = tokens_.find(first); id >= 0) opens_[static_cast<std::size_t>(id)] = false;
  }
}

bool TextBpeModel::add_bytes(std::string_view spelled, Symbols& symbols) const {
  const auto id = [&](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
  if (std::any_of(spelled.begin(), spelled.end(), [&](char byte) { return id(byte) < 0; })) return false;
  for (const char byte : spelled) symbols.add(id(byte), 1);
  return true;
}

TextBpeModel::Symbols TextBpeModel::symbols_of(std::string_view piece) const {
  Symbols symbols;
  std::uint32_t unknown = 0;  // bytes of a pending unknown token; it comes out before the next known character
  const auto flush = [&] {
    if (unknown > 0) symbols.add(*spec_.unknown, unknown);
    unknown = 0;
  };
  const bool affixes = !spec_.continuing_subword_prefix.empty() || !spec_.end_of_word_suffix.empty();
  std::string spelled;
  for (std::size_t at = 0; at < piece.size();) {
    const std::size_t begin = at;
    next_code_point(piece, at);
    std::string_view character = piece.substr(begin, at - begin);
    const auto size = static_cast<std::uint32_t>(character.size());
    if (affixes) {
      spelled = begin > 0 ? spec_.continuing_subword_prefix : "";
      spelled += character;
      if (at == piece.size()) spelled += spec_.end_of_word_suffix;
      character = spelled;
    }
    if (const std::int32_t id = tokens_.find(character); id >= 0) {
      flush();
      symbols.add(id, size);
    } else if (!(spec_.byte_fallback && add_bytes(character, symbols)) && spec_.unknown) {
      if (!spec_.fuse_unk) flush();
      unknown += size;
    }
  }
  flush();
  return symbols;
}

/// Merges the stretches between openers one by one; returns how many symbols are left, at the front.
std::size_t TextBpeModel::merge_in_parts(Symbols& symbols) const {
  const std::size_t size = symbols.ids.size();
  std::size_t kept = 0;
  for (std::size_t begin = 0, end = 0; begin < size; begin = end) {
    for (end = begin + 1; end < size; ++end) {
      const std::int32_t id = symbols.ids[end];
      if (opens_[static_cast<std::size_t>(id)] && symbols.ids[end - 1] != id) break;
    }
    const std::size_t count = merge_symbols(merges_, &symbols.ids[begin], &symbols.ends[begin], end - begin);
    std::copy_n(symbols.ids.begin() + static_cast<std::ptrdiff_t>(begin), count,
                symbols.ids.begin() + static_cast<std::ptrdiff_t>(kept));
    std::copy_n(symbols.ends.begin() + static_cast<std::ptrdiff_t>(begin), count,
                symbols.ends.begin() + static_cast<std::ptrdiff_t>(kept));
    kept += count;
  }
  return kept;
}

void TextBpeModel::tokenize(std::string_view piece, std::vector<Subword>& tokens) const {
  if (spec_.ignore_merges) {
    if (const std::int32_t id = tokens_.find(piece); id >= 0) {
      tokens.push_back({id, 0, static_cast<std::uint32_t>(piece.size())});
      return;
    }
  }
  Symbols symbols = symbols_of(piece);
  const std::size_t count = merge_in_parts(symbols);
  const auto size = static_cast<std::uint32_t>(piece.size());  // a prefix or suffix in bytes may count too much
  std::uint32_t begin = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t end = std::min(symbols.ends[i], size);
    tokens.push_back({symbols.ids[i], begin, end});
    begin = end;
  }
}

}  // namespace hone
