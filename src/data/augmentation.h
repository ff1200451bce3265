#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "data/preparation.h"

namespace hone {

/// Words that may stand for one another.
class Synonyms {
 public:
  Synonyms() = default;
  /// A group a line, words (or phrases) between commas; case does not count. Error{data} names file and line when a
  /// group has fewer than two.
  static Synonyms read(const std::filesystem::path& path);

  /// What may stand for `word`, or nullptr. Marks around it do not count.
  const std::vector<std::string>* find(std::string_view word) const;
  /// Another word of the group with the marks and the capital of `word`; `word` when there is none.
  std::string replacement(std::string_view word, Random& random) const;

 private:
  std::unordered_map<std::string, std::vector<std::string>> groups_;
};

/// One altered copy of a text, its words joined by single spaces. A text of one word stays as it is.
std::string altered_text(std::string_view text, const AugmentationConfig& config, const Synonyms& synonyms,
                         Random& random);

}  // namespace hone
