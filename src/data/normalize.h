#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hone {

/// What is left of valid UTF-8 when case, whitespace and punctuation do not count: "It's  here!" and "it 's here" are
/// both "itshere". Case is folded for ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic. Punctuation is
/// !"#%&'()*,-./:;?@[\]_{} (so + < = > $ ^ ` | ~ stay), ¡ § « ¶ · » ¿, U+2010…U+2027, U+2030…U+205E and
/// U+3001…U+3003. A text of nothing else (a program in symbols) stays as it is. Fixed for ever: how data sets are
/// split depends on it.
std::string normalized_text(std::string_view text);

/// Which of `count` classes a text belongs to: a hash of its normalized_text, so near-identical texts are never
/// separated. Texts spread evenly, and classes of different `purpose` are independent of each other.
std::uint64_t text_class(std::string_view text, std::string_view purpose, std::uint64_t count);

/// The same hash as a number in [0, 1): texts below a share are that share of all.
double text_share(std::string_view text, std::string_view purpose);

}  // namespace hone
