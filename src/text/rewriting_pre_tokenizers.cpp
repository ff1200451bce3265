#include "text/byte_alphabet.h"
#include "text/code_points.h"
#include "text/pre_tokenizers.h"
#include "text/split_patterns.h"

namespace hone {
namespace {

/// Writes the pieces of a text anew, one behind the other.
class PieceRewrite {
 public:
  explicit PieceRewrite(SplitText& text) : text_(text), rewrite_(text.text) { pieces_.reserve(text.pieces.size()); }

  /// Calls write(rewrite, piece), which must put in place of the whole piece.
  template <class Write>
  void run(const Write& write) {
    for (const TextRange range : text_.pieces) {
      rewrite_.skip_to(range.begin);
      const std::size_t begin = rewrite_.written();
      write(rewrite_, range);
      pieces_.push_back({begin, rewrite_.written()});
    }
    rewrite_.finish();
    text_.pieces = std::move(pieces_);
  }

 private:
  SplitText& text_;
  TextRewrite rewrite_;
  std::vector<TextRange> pieces_;
};

/// `prefix` before the piece, whose first character it comes from; then the piece, with the alphabet or as it is.
void put_prefix(TextRewrite& rewrite, std::string_view text, std::string_view prefix) {
  std::size_t first_end = rewrite.at();
  const char32_t first = next_code_point(text, first_end);
  int change = 0;
  for (std::size_t at = 0; at < prefix.size(); change = 1) rewrite.put(next_code_point(prefix, at), change);
  rewrite.put(first, 1);
}

}  // namespace

void MetaspacePreTokenizer::rewrite_spaces(SplitText& text) const {
  const std::string& in = text.text.text();
  const bool aligned = text.text.is_aligned();
  bool is_first = !aligned && text.text.place() == 0 && !text.pieces.empty() && text.pieces[0].begin == 0;
  PieceRewrite(text).run([&](TextRewrite& rewrite, TextRange range) {
    const std::string_view piece = std::string_view(in).substr(range.begin, range.end - range.begin);
    const bool opens = piece[0] == ' ' || piece.starts_with(replacement_);
    if (aligned) is_first = range.begin == 0 ? text.text.place() == 0 : rewrite.origin_of_next().begin == 0;
    const bool prepends = scheme_ == PrependScheme::always || (scheme_ == PrependScheme::first && is_first);
    is_first = false;
    if (prepends && !opens) put_prefix(rewrite, in, replacement_);
    while (rewrite.at() < range.end) {
      const std::size_t space = std::min(in.find(' ', rewrite.at()), range.end);
      rewrite.copy(space - rewrite.at());
      if (space == range.end) break;
      rewrite.drop(1);
      for (std::size_t at = 0; at < replacement_.size();) rewrite.put(next_code_point(replacement_, at), 1);
    }
  });
}

void MetaspacePreTokenizer::split(SplitText& text) const {
  rewrite_spaces(text);
  if (!splits_) return;
  const std::string& all = text.text.text();
  std::vector<TextRange> pieces;
  pieces.reserve(text.pieces.size() + all.size() / 8);
  for (const TextRange range : text.pieces) {
    std::size_t begin = range.begin;
    while (begin < range.end) {
      const std::size_t next = std::min(all.find(replacement_, begin + 1), range.end);
      pieces.push_back({begin, next});
      begin = next;
    }
  }
  text.pieces = std::move(pieces);
}

ByteLevelPreTokenizer::ByteLevelPreTokenizer(Options options) : options_(options), splitter_(kGpt2Split, "ByteLevel") {}

void ByteLevelPreTokenizer::split(SplitText& text) const {
  if (options_.add_prefix_space) {
    const std::string& in = text.text.text();
    PieceRewrite(text).run([&](TextRewrite& rewrite, TextRange range) {
      if (in[range.begin] != ' ') put_prefix(rewrite, in, " ");
      rewrite.copy(range.end - rewrite.at());
    });
  }
  if (options_.use_regex) {
    Splitter::Scratch scratch;
    std::vector<TextRange> pieces;
    pieces.reserve(text.pieces.size() + text.text.text().size() / 4);
    for (const TextRange range : text.pieces) splitter_.split(text.text.text(), range, scratch, pieces);
    text.pieces = std::move(pieces);
  }
  if (!options_.spells) return;
  const std::string& in = text.text.text();
  PieceRewrite(text).run([&](TextRewrite& rewrite, TextRange range) {
    for (std::size_t at = range.begin; at < range.end;) {
      const std::size_t begin = at;
      next_code_point(in, at);
      for (std::size_t i = begin; i < at; ++i) rewrite.put(byte_character(in[i]), i > begin ? 1 : 0);
    }
  });
}

}  // namespace hone
