#pragma once

#include "text/known_splits.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// A compiled pattern of a tokenizer: finds its matches, and cuts text into pieces at their borders (`Isolated` in
/// tokenizer.json).
///
/// Patterns are written for Oniguruma and run by PCRE2; the patterns of split_patterns.h by code of their own. They are
/// translated where the two differ in notation or in the version of Unicode, and refused where they would differ in
/// meaning: Error{data} that names the construct.
/// Immutable: several threads may split at once, each with a Scratch of its own.
class Splitter {
 public:
  /// Working memory of one thread.
  class Scratch {
   public:
    Scratch();
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

   private:
    friend class Splitter;
    void* match_;
  };

  /// `source` names the file or option that holds the pattern.
  Splitter(std::string_view pattern, const std::string& source);

  /// Appends the pieces of `text` (valid UTF-8), which together are `text`.
  void split(std::string_view text, Scratch& scratch, std::vector<std::string_view>& pieces) const;
  /// Appends the pieces of text[range]; nothing outside of the range is looked at.
  void split(std::string_view text, TextRange range, Scratch& scratch, std::vector<TextRange>& pieces) const;
  /// Appends the matches in text[range], one after the other; an empty one not just behind another. They, and what is
  /// between them, are the range.
  void find(std::string_view text, TextRange range, Scratch& scratch, std::vector<TextRange>& matches) const;

 private:
  struct Free {
    void operator()(void* code) const;
  };
  bool match(std::string_view text, std::size_t from, Scratch& scratch, TextRange& found) const;

  std::optional<KnownSplit> known_;
  std::unique_ptr<void, Free> code_;  ///< null when `known_`
};

}  // namespace hone
