#include "text/grapheme_breaks.h"

#include "text/code_points.h"

#include <algorithm>
#include <array>
#include <vector>

namespace hone {
namespace {

using Class = GraphemeClass;

/// Classes of all code points in pages of 128, pages without a class shared.
class Pages {
 public:
  Pages() : classes_(kPage, Class::other) {
    for (const GraphemeRange& range : grapheme_ranges()) {
      for (char32_t point = range.first; point <= range.last; ++point) {
        std::uint16_t& page = pages_[point / kPage];
        if (page == 0) {
          page = static_cast<std::uint16_t>(classes_.size() / kPage);
          classes_.resize(classes_.size() + kPage, Class::other);
        }
        classes_[page * kPage + point % kPage] = range.kind;
      }
    }
  }
  Class of(char32_t point) const {
    if (point >= 0xAC00 && point <= 0xD7A3) return (point - 0xAC00) % 28 == 0 ? Class::hangul_lv : Class::hangul_lvt;
    return classes_[pages_[point / kPage] * kPage + point % kPage];
  }

 private:
  static constexpr std::size_t kPage = 128;
  std::array<std::uint16_t, 0x110000 / kPage> pages_{};
  std::vector<Class> classes_;
};

bool is_extend(Class c) { return c == Class::extend || c == Class::extend_linker || c == Class::extend_conjunct; }
bool is_control(Class c) { return c == Class::cr || c == Class::lf || c == Class::control; }

/// What is known of a cluster so far.
struct Cluster {
  Class last;
  bool odd_indicators = false;    ///< an odd number of regional indicators, and nothing after
  bool pictographic = false;      ///< ends with Extended_Pictographic Extend*
  bool pictographic_zwj = false;  ///< … and then a ZWJ
  bool conjunct = false;          ///< ends with a consonant and any linkers and extenders
  bool linked = false;            ///< … at least one of them a linker

  explicit Cluster(Class first)
      : last(first),
        odd_indicators(first == Class::regional_indicator),
        pictographic(first == Class::pictographic),
        conjunct(first == Class::conjunct) {}

  bool takes(Class next) const {
    if (last == Class::cr) return next == Class::lf;         // GB3
    if (is_control(last) || is_control(next)) return false;  // GB4, GB5
    const bool vowel = next == Class::hangul_v, tail = next == Class::hangul_t;
    if (last == Class::hangul_l && (next == Class::hangul_l || vowel || next == Class::hangul_lv ||  // GB6
                                    next == Class::hangul_lvt))
      return true;
    if ((last == Class::hangul_lv || last == Class::hangul_v) && (vowel || tail)) return true;  // GB7
    if ((last == Class::hangul_lvt || last == Class::hangul_t) && tail) return true;            // GB8
    if (is_extend(next) || next == Class::zwj || next == Class::spacing_mark) return true;      // GB9, GB9a
    if (last == Class::prepend) return true;                                                    // GB9b
    if (conjunct && linked && next == Class::conjunct) return true;                             // GB9c
    if (pictographic_zwj && next == Class::pictographic) return true;                           // GB11
    return odd_indicators && next == Class::regional_indicator;                                 // GB12, GB13
  }

  void add(Class next) {
    odd_indicators = next == Class::regional_indicator && !odd_indicators;
    pictographic_zwj = pictographic && next == Class::zwj;
    pictographic = next == Class::pictographic || (pictographic && is_extend(next));
    const bool continues = next == Class::extend_linker || next == Class::extend_conjunct || next == Class::zwj;
    linked = next == Class::extend_linker || (linked && continues);
    conjunct = next == Class::conjunct || (conjunct && continues);
    if (next == Class::conjunct) linked = false;
    last = next;
  }
};

}  // namespace

std::size_t grapheme_end(std::string_view text, std::size_t at) {
  static const Pages pages;
  const auto class_at = [&](std::size_t& place) { return pages.of(next_code_point(text, place)); };
  Cluster cluster(class_at(at));
  while (at < text.size()) {
    std::size_t next = at;
    const Class kind = class_at(next);
    if (!cluster.takes(kind)) break;
    cluster.add(kind);
    at = next;
  }
  return at;
}

}  // namespace hone
