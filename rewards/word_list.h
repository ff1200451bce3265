#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/pattern.h"

namespace hone {

/// Finds words and phrases of a list in a text. Words are runs of letters, digits and `_` in any script; Latin, Greek
/// and Cyrillic letters are compared without case. Any number of threads may look at once.
class WordList {
 public:
  /// Error{config} for an entry without a word in it.
  explicit WordList(const std::vector<std::string>& entries);

  /// How often entries occur; where several begin at the same word, the longest counts.
  std::int64_t count(std::string_view text) const;

 private:
  std::vector<std::string> words_of(std::string_view text) const;

  Pattern word_;
  std::map<std::string, std::vector<std::vector<std::string>>> phrases_;  ///< by first word, the longest first
};

/// The entries of a file: one a line, without the white space around it; empty lines and those that begin with # are
/// skipped. Error{io} when it cannot be read.
std::vector<std::string> word_list_file(const std::string& path);

/// Lower case of Latin-1, Latin Extended-A, Greek and Cyrillic letters; everything else is kept.
std::string folded_case(std::string_view text);

}  // namespace hone
