#pragma once

#include <cstdint>
#include <span>
#include <string_view>

/// What Python's str methods know of characters, generated; characters.h has the functions.
namespace hone::jinja {

/// Code points first, first + step, … last.
struct CharacterRun {
  char32_t first, last, step;
};
/// Those become themselves + delta.
struct CaseRun {
  std::int32_t first, last, step, delta;
};
/// This one becomes several.
struct CaseText {
  char32_t point;
  std::string_view text;
};

/// All sorted by first. The title tables hold only what differs from upper.
std::span<const CharacterRun> unprintable();
std::span<const CharacterRun> letters();
std::span<const CharacterRun> lowercase();
std::span<const CharacterRun> uppercase();
std::span<const CharacterRun> titlecase();
std::span<const CharacterRun> decimals();
std::span<const CharacterRun> digits();
std::span<const CharacterRun> numerics();
std::span<const CaseRun> lower_runs();
std::span<const CaseText> lower_texts();
std::span<const CaseRun> upper_runs();
std::span<const CaseText> upper_texts();
std::span<const CaseRun> title_runs();
std::span<const CaseText> title_texts();

}  // namespace hone::jinja
