#include "text/pre_tokenizers.h"

#include "text/code_points.h"
#include "text/unicode_classes.h"

#include <algorithm>

namespace hone {
namespace {

/// Replaces every piece by what `cut(range, pieces)` appends.
template <class Cut>
void cut_pieces(SplitText& text, const Cut& cut) {
  std::vector<TextRange> pieces;
  pieces.reserve(text.pieces.size() + text.text.text().size() / 8);
  for (const TextRange range : text.pieces) cut(range, pieces);
  text.pieces = std::move(pieces);
}

/// Appends the runs of characters of one kind; `kind(point)` 0: they go.
template <class Kind>
void cut_runs(const std::string& text, TextRange range, const Kind& kind, std::vector<TextRange>& pieces) {
  std::size_t begin = range.begin;
  int before = 0;
  for (std::size_t at = range.begin; at < range.end;) {
    const std::size_t here = at;
    const int now = kind(next_code_point(text, at));
    if (now != before) {
      if (before != 0) pieces.push_back({begin, here});
      begin = here;
      before = now;
    }
  }
  if (before != 0) pieces.push_back({begin, range.end});
}

}  // namespace

bool PointPreTokenizer::splits_at(char32_t point) const {
  switch (point_) {
    case SplitPoint::white_space: return is_white_space(point);
    case SplitPoint::old_punctuation: return char_class(point).is_old_punctuation();
    case SplitPoint::numeric: return char_class(point).is_numeric();
    case SplitPoint::delimiter: return point == delimiter_;
  }
  return false;
}

void PointPreTokenizer::split(SplitText& text) const {
  const std::string& all = text.text.text();
  if (behavior_ == SplitBehavior::removed) {
    const auto kind = [&](char32_t point) { return splits_at(point) ? 0 : 1; };
    return cut_pieces(text, [&](TextRange range, auto& pieces) { cut_runs(all, range, kind, pieces); });
  }
  std::vector<TextRange> matches;
  std::vector<Stretch> stretches;
  cut_pieces(text, [&](TextRange range, auto& pieces) {
    matches.clear();
    stretches.clear();
    for (std::size_t at = range.begin; at < range.end;) {
      const std::size_t begin = at;
      if (splits_at(next_code_point(all, at))) matches.push_back({begin, at});
    }
    append_stretches(range, matches, stretches);
    append_pieces(stretches, behavior_, pieces);
  });
}

void BertPreTokenizer::split(SplitText& text) const {
  const std::string& all = text.text.text();
  cut_pieces(text, [&](TextRange range, auto& pieces) {
    std::size_t begin = range.begin;
    for (std::size_t at = range.begin; at < range.end;) {
      const std::size_t here = at;
      const char32_t point = next_code_point(all, at);
      if ((point >= '0' && point <= '9') || (point >= 'a' && point <= 'z')) continue;
      const bool space = is_white_space(point);
      if (!space && !char_class(point).is_old_punctuation()) continue;
      if (begin < here) pieces.push_back({begin, here});
      if (!space) pieces.push_back({here, at});
      begin = at;
    }
    if (begin < range.end) pieces.push_back({begin, range.end});
  });
}

void WordPreTokenizer::split(SplitText& text) const {
  const auto kind = [](char32_t point) { return is_white_space(point) ? 0 : char_class(point).is_rust_word() ? 1 : 2; };
  cut_pieces(text, [&](TextRange range, auto& pieces) { cut_runs(text.text.text(), range, kind, pieces); });
}

void StringPreTokenizer::split(SplitText& text) const {
  std::vector<TextRange> matches;
  std::vector<Stretch> stretches;
  cut_pieces(text, [&](TextRange range, auto& pieces) {
    matches.clear();
    stretches.clear();
    const std::string_view piece = text.piece(range);
    for (std::size_t at = 0; !pattern_.empty() && (at = piece.find(pattern_, at)) != std::string_view::npos;) {
      matches.push_back({range.begin + at, range.begin + at + pattern_.size()});
      at += pattern_.size();
    }
    append_stretches(range, matches, stretches);
    for (Stretch& stretch : stretches) stretch.is_match ^= invert_;
    append_pieces(stretches, behavior_, pieces);
  });
}

void RegexPreTokenizer::split(SplitText& text) const {
  Splitter::Scratch scratch;
  std::vector<TextRange> matches;
  std::vector<Stretch> stretches;
  cut_pieces(text, [&](TextRange range, auto& pieces) {
    if (behavior_ == SplitBehavior::isolated) return splitter_.split(text.text.text(), range, scratch, pieces);
    matches.clear();
    stretches.clear();
    splitter_.find(text.text.text(), range, scratch, matches);
    append_stretches(range, matches, stretches);
    for (Stretch& stretch : stretches) stretch.is_match ^= invert_;
    append_pieces(stretches, behavior_, pieces);
  });
}

void ScriptPreTokenizer::split(SplitText& text) const {
  const std::string& all = text.text.text();
  cut_pieces(text, [&](TextRange range, auto& pieces) {
    std::size_t begin = range.end;  // of the piece; what comes before the first script goes, as in the library
    int script = 0;
    for (std::size_t at = range.begin; at < range.end;) {
      const std::size_t here = at;
      const int next = script_number(next_code_point(all, at));
      if (next == 0 || next == script) continue;
      if (script != 0) pieces.push_back({begin, here});
      begin = here;
      script = next;
    }
    if (begin < range.end) pieces.push_back({begin, range.end});
  });
}

void FixedLengthPreTokenizer::split(SplitText& text) const {
  cut_pieces(text, [&](TextRange range, auto& pieces) {
    std::size_t begin = range.begin, count = 0;
    for (std::size_t at = range.begin; at < range.end;) {
      next_code_point(text.text.text(), at);
      if (++count % length_ != 0) continue;
      pieces.push_back({begin, at});
      begin = at;
    }
    if (begin < range.end) pieces.push_back({begin, range.end});
  });
}

}  // namespace hone
