#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone::jinja {

class Runtime;

/// What is known of the bytes of a text. Bits.
enum Flag : std::uint8_t {
  from_data = 1,   ///< came from messages, tools or other input, not from the template
  generation = 2,  ///< stood in {% generation %}
};

struct Mark {
  std::uint32_t begin, end;
  std::uint8_t flags;
};

/// Memory behind a text that may still grow in place, so that `x = x + y` in a loop costs what it adds.
struct Growth {
  std::size_t used, capacity;
};

/// An immutable text in UTF-8 with what is known of its bytes: `marks` are in order, without overlap, each with flags;
/// bytes outside them are the template's own.
struct Str {
  const char* data = "";
  std::size_t size = 0;
  const Mark* marks = nullptr;
  std::size_t mark_count = 0;
  bool safe = false;  ///< the result of |safe or |escape: what it is added to is escaped
  Growth* growth = nullptr;

  std::string_view view() const { return {data, size}; }
  std::span<const Mark> mark_span() const { return {marks, mark_count}; }
  bool has_data() const {
    for (const Mark& mark : mark_span()) {
      if ((mark.flags & from_data) != 0) return true;
    }
    return false;
  }
};

/// Collects a text with its marks.
class TextBuilder {
 public:
  explicit TextBuilder(Runtime& runtime) : runtime_(runtime) {}

  std::size_t size() const { return bytes_.size(); }
  void append(std::string_view text, std::uint8_t flags = 0);
  void append(const Str& text) { append_part(text, 0, text.size); }
  /// Bytes [begin, end) of `text`.
  void append_part(const Str& text, std::size_t begin, std::size_t end);
  /// Adds `flags` to the bytes from `begin` on.
  void add_flags(std::size_t begin, std::uint8_t flags);

  const Str* finish(bool safe = false);
  std::string take_bytes() { return std::move(bytes_); }
  const std::vector<Mark>& marks() const { return marks_; }

 private:
  void mark(std::size_t begin, std::size_t end, std::uint8_t flags);

  Runtime& runtime_;
  std::string bytes_;
  std::vector<Mark> marks_;
};

/// Copies of `text`, all with the same flags.
const Str* make_str(Runtime& runtime, std::string_view text, std::uint8_t flags = 0);
/// Refers to `text`, which outlives the rendering.
const Str* borrow_str(Runtime& runtime, std::string_view text, std::uint8_t flags);
const Str* concat(Runtime& runtime, const Str& a, const Str& b);
/// Bytes [begin, end) without copying them.
const Str* part(Runtime& runtime, const Str& text, std::size_t begin, std::size_t end);

/// Walks over a text's flags from its begin to its end.
class FlagCursor {
 public:
  explicit FlagCursor(const Str& text) : mark_(text.marks), last_(text.marks + text.mark_count) {}
  /// Flags of the byte at `at`, which never moves back.
  std::uint8_t at(std::size_t at) {
    while (mark_ != last_ && mark_->end <= at) ++mark_;
    return mark_ != last_ && mark_->begin <= at ? mark_->flags : 0;
  }

 private:
  const Mark* mark_;
  const Mark* last_;
};

}  // namespace hone::jinja
