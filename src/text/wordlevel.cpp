#include "text/wordlevel.h"

#include "base/error.h"

namespace hone {

void WordLevelModel::tokenize(std::string_view piece, std::vector<Subword>& tokens) const {
  const std::int32_t id = tokens_.find(piece);
  if (id < 0 && !unknown_) {
    fail(ErrorKind::data, "{}: \"{}\" is not in the vocabulary, and neither is unk_token \"{}\"", source_,
         piece.substr(0, 60), unk_token_);
  }
  tokens.push_back({id < 0 ? *unknown_ : id, 0, static_cast<std::uint32_t>(piece.size())});
}

}  // namespace hone
