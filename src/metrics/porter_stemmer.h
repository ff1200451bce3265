#pragma once

#include <string>
#include <string_view>

namespace hone {

/// The stem of an English word in lower-case ASCII (letters and digits): Porter, "An algorithm for suffix stripping",
/// 1980, with the changes of NLTK's stemmer, which rouge_score uses: a few irregular words, words of two letters left
/// alone, -ies and -ied of short words to -ie, y to i only behind a consonant, -bli, -fulli and -logi.
std::string porter_stem(std::string_view word);

}  // namespace hone
