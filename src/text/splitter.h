#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// A compiled split pattern: cuts text into pieces at the borders of its matches (`Isolated` in tokenizer.json).
///
/// Patterns are written for Oniguruma and run by PCRE2. They are translated where the two differ in notation (`\s`),
/// and refused where they would differ in meaning: Error{data} that names the construct.
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

 private:
  struct Free {
    void operator()(void* code) const;
  };
  std::unique_ptr<void, Free> code_;
};

}  // namespace hone
