#include "text/pair_template.h"

#include <algorithm>

namespace hone {

PairTemplate pair_template(const Tokenizer& tokenizer) {
  const EncodedText pair = tokenizer.encode_with_offsets({"a", "a"});
  PairTemplate around;
  std::vector<std::int32_t>* part = &around.before;
  for (std::size_t i = 0; i < pair.ids.size(); ++i) {
    if (pair.sequence[i] >= 0) {
      part = pair.sequence[i] == 0 ? &around.between : &around.behind;
    } else {
      part->push_back(pair.ids[i]);
    }
  }
  around.two_types = !pair.type_ids.empty() && pair.type_ids.back() == 1;
  return around;
}

TextTemplate text_template(const Tokenizer& tokenizer) {
  const std::vector<std::int32_t> bare = tokenizer.encode("a");
  const std::vector<std::int32_t> whole = tokenizer.encode("a", AddSpecial::yes);
  const auto begin = std::search(whole.begin(), whole.end(), bare.begin(), bare.end());
  if (begin == whole.end()) return {};
  return {{whole.begin(), begin}, {begin + static_cast<std::ptrdiff_t>(bare.size()), whole.end()}};
}

}  // namespace hone
