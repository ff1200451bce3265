#pragma once

#include <cstdint>
#include <vector>

#include "text/tokenizer.h"

namespace hone {

/// The ids that a tokenizer puts around a pair of texts: before the first, between them, behind the second. BERT: [CLS]
/// · [SEP] · [SEP]; RoBERTa: <s> · </s></s> · </s>.
struct PairTemplate {
  std::vector<std::int32_t> before;
  std::vector<std::int32_t> between;
  std::vector<std::int32_t> behind;
  bool two_types = true;  ///< the second text and what is behind it have type 1, everything else 0
};

/// As the tokenizer joins two texts.
PairTemplate pair_template(const Tokenizer& tokenizer);

/// The ids that a tokenizer puts around a text.
struct TextTemplate {
  std::vector<std::int32_t> before;
  std::vector<std::int32_t> behind;
};
TextTemplate text_template(const Tokenizer& tokenizer);

}  // namespace hone
