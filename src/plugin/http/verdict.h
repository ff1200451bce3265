#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "flow/types.h"

namespace hone {

/// Finds the score in what a judge wrote.
class VerdictReader {
 public:
  /// One of the two is set. `pattern`: PCRE2 with exactly one group, whose last match in the text is the number.
  /// `json_key`: a key of the JSON object in the text (alone, in a fence, or amid words). Numbers outside [low, high]
  /// are errors. Error{config} for a bad pattern, or both or none of the two.
  VerdictReader(const std::string& pattern, std::string json_key, double low, double high);

  /// The judge's words become the note. Anything but a number in range is a Score::error of reason "protocol".
  /// Any thread.
  Score read(std::string_view text) const;

 private:
  struct Pattern;
  std::string find(std::string_view text) const;
  std::string find_match(std::string_view text) const;
  std::string find_key(std::string_view text) const;

  std::shared_ptr<const Pattern> pattern_;
  std::string json_key_;
  double low_;
  double high_;
};

/// The template with every {prompt}, {completion} and {reference} replaced, in one pass: what is put in is not looked at
/// again. Other braces stay.
std::string fill_template(std::string_view text, const Episode& episode);

}  // namespace hone
