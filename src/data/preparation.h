#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"

namespace hone {

/// How texts are made plain before anything else looks at them.
enum class UnicodeForm { none, nfc, nfkc };
inline constexpr std::array<std::string_view, 3> unicode_form_names{"none", "nfc", "nfkc"};

struct CleaningConfig {
  UnicodeForm unicode = UnicodeForm::none;
  bool html = false;
  bool control = false;
  bool white_space = false;
  bool any() const { return unicode != UnicodeForm::none || html || control || white_space; }
  void describe(Fields& f);
};

/// Rows whose texts together are outside these bounds are left out.
struct FilterConfig {
  std::optional<std::int64_t> min_characters, max_characters, min_words, max_words, min_tokens, max_tokens;
  bool any() const { return min_characters || max_characters || min_words || max_words || counts_tokens(); }
  bool counts_tokens() const { return min_tokens || max_tokens; }
  void describe(Fields& f);
};

struct DeduplicationConfig {
  bool exact = false;
  double near = 0;  ///< Jaccard similarity from which rows are the same; 0: not looked for
  std::int64_t shingle = 3;
  bool any() const { return exact || near > 0; }
  void describe(Fields& f);
};

/// Equal numbers of training rows of each class.
enum class Balance { none, oversample, undersample };
inline constexpr std::array<std::string_view, 3> balance_names{"none", "oversample", "undersample"};

/// Easy data augmentation (Wei and Zou 2019): altered copies of the training rows. Each copy is altered in one of the
/// ways whose share is above 0, chosen at random.
struct AugmentationConfig {
  std::int64_t copies = 0;
  bool each_epoch = false;  ///< in place of copies that are drawn once, rows are altered whenever they are visited
  double deletion = 0;     ///< each word goes with this chance
  double swap = 0;         ///< share of the words that change places with another
  double replacement = 0;  ///< share of the words that a synonym takes the place of
  double insertion = 0;    ///< synonyms put in at random places, as a share of the words
  std::optional<std::string> synonyms;
  void describe(Fields& f);
};

/// Several data sets as one.
struct MixtureConfig {
  std::vector<std::pair<std::string, double>> weights;  ///< name in `data:`, weight
  double temperature = 0;
  std::optional<std::int64_t> rows;
  void describe(Fields& f);
};

/// What is done to the rows of one entry of `data:` as they are read: cleaned, filtered, divided into training and
/// held-out rows, deduplicated; then the training rows are balanced and augmented.
struct PreparationConfig {
  CleaningConfig clean;
  FilterConfig filter;
  DeduplicationConfig deduplicate;
  bool stratified = false;
  Balance balance = Balance::none;
  AugmentationConfig augment;
  void describe(Fields& f);
};

}  // namespace hone
