#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// Bytes [begin, end) of a text.
struct TextRange {
  std::size_t begin = 0;
  std::size_t end = 0;

  bool operator==(const TextRange&) const = default;
};

/// Text on its way from the user to the vocabulary. When it is aligned, each byte knows which bytes of the user's text
/// it comes from: at first the whole character that it belongs to, later what `TextRewrite` says.
class AlignedText {
 public:
  AlignedText() = default;
  /// `text` is valid UTF-8 and stands at byte `place` of the user's text.
  AlignedText(std::string_view text, bool aligned, std::size_t place = 0) { assign(text, aligned, place); }
  void assign(std::string_view text, bool aligned, std::size_t place = 0);

  const std::string& text() const { return text_; }
  bool is_aligned() const { return aligned_; }
  /// Where the bytes [begin, end) come from; for an empty range, the place before them. Aligned texts only.
  TextRange origin(std::size_t begin, std::size_t end) const;
  /// The place of the whole in the user's text.
  std::size_t place() const { return place_; }

  /// The bytes [begin, end), at borders of characters, as a text of its own.
  AlignedText slice(std::size_t begin, std::size_t end) const;
  /// Leaves only the bytes [begin, end), at borders of characters.
  void keep(std::size_t begin, std::size_t end);

 private:
  friend class TextRewrite;
  std::string text_;
  std::vector<TextRange> origins_;  ///< of each byte; empty when not aligned
  std::size_t place_ = 0;
  bool aligned_ = false;
};

/// Writes a new text in place of an aligned one, character by character from left to right:
///
///   TextRewrite rewrite(text);
///   rewrite.put(U'a', 0);   // in place of the next old character
///   rewrite.put(U'b', 1);   // inserted
///   rewrite.put(U'c', -2);  // in place of the next three
///   rewrite.finish();
///
/// An inserted character comes from where the old character before it does.
class TextRewrite {
 public:
  explicit TextRewrite(AlignedText& text);

  /// `change` 0: stands for the next old character; n > 0: for none; -n: for the next one, and n more go.
  void put(char32_t point, int change);
  /// Drops the next `count` old characters.
  void drop(std::size_t count) { skip(count); }
  /// Takes the next `bytes` bytes over as they are.
  void copy(std::size_t bytes);
  /// `replacement` in place of the next `bytes` bytes, character for character: more of them are inserted at the end,
  /// and what is left over goes with the last one.
  void replace(std::size_t bytes, std::string_view replacement);
  /// Drops old text up to this byte.
  void skip_to(std::size_t byte) { at_ = byte; }
  /// How many old bytes are behind.
  std::size_t at() const { return at_; }
  /// How many new bytes there are.
  std::size_t written() const { return out_.size(); }
  /// Where the next old byte comes from. Aligned texts only.
  TextRange origin_of_next() const { return text_.origins_[at_]; }
  /// The rest of the old text is dropped; the text is the new one.
  void finish();

 private:
  void skip(std::size_t characters);

  AlignedText& text_;
  std::string out_;
  std::vector<TextRange> origins_;
  std::size_t at_ = 0;
};

}  // namespace hone
