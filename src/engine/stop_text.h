#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// Finds the first of several stop texts in bytes that arrive a token at a time.
class StopText {
 public:
  explicit StopText(const std::vector<std::string>& stops) : stops_(&stops) {}

  /// Appends the bytes of one token. Returns whether a stop text is now complete.
  bool append(std::string_view bytes);
  /// What came before the stop text, or everything.
  std::string_view text() const { return std::string_view(text_).substr(0, end_); }

 private:
  const std::vector<std::string>* stops_;  ///< borrowed from the sampling configuration, which outlives generation
  std::string text_;
  std::size_t end_ = std::string::npos;
};

}  // namespace hone
