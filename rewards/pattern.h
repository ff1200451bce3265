#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// A compiled PCRE2 pattern over UTF-8 text. Matching is bounded in steps and memory, so no text can hang it.
/// Copies share the compiled pattern. Any number of threads may match at once.
class Pattern {
 public:
  struct Options {
    bool ignore_case = false;
    bool literal = false;  ///< no character of the pattern is special
    bool whole = false;    ///< must match the text from its first to its last character
  };
  /// The texts of the groups, 0 being the whole match; unset when a group took no part. They point into the text.
  using Match = std::vector<std::optional<std::string_view>>;

  /// Error{config} with PCRE2's own words and the place in the pattern when it is no pattern.
  Pattern(const std::string& pattern, Options options);

  /// All of these throw Error{data} when the limits were reached or the text is not valid UTF-8.
  bool matches(std::string_view text) const { return find(text).has_value(); }
  std::optional<Match> find(std::string_view text) const;
  /// Every match from left to right, none overlapping another. Empty matches are left out.
  std::vector<Match> find_all(std::string_view text) const;

 private:
  struct Compiled;
  struct Space;  // of one match
  std::optional<Match> find_from(std::string_view text, std::size_t from, unsigned flags, Space& space) const;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace hone
