#include "text/replace_normalizer.h"

#include "text/code_points.h"

namespace hone {

void ReplaceNormalizer::normalize(AlignedText& text) const {
  const std::string& in = text.text();
  std::vector<TextRange> matches;
  if (regex_) {
    Splitter::Scratch scratch;
    regex_->find(in, {0, in.size()}, scratch, matches);
  } else {
    for (std::size_t at = 0; !string_.empty() && (at = in.find(string_, at)) != std::string::npos;) {
      matches.push_back({at, at + string_.size()});
      at += string_.size();
    }
  }
  if (matches.empty()) return;
  TextRewrite rewrite(text);
  for (const TextRange match : matches) {
    rewrite.copy(match.begin - rewrite.at());
    rewrite.skip_to(match.end);
    for (std::size_t at = 0; at < content_.size();) rewrite.put(next_code_point(content_, at), 1);
  }
  rewrite.copy(in.size() - rewrite.at());
  rewrite.finish();
}

}  // namespace hone
