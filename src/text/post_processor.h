#pragma once

#include "text/tokenizer.h"

#include <functional>
#include <variant>

namespace hone {

/// What stands in a template: one of the texts, or ids.
struct TemplateItem {
  std::optional<int> sequence;     ///< 0 or 1; empty: `ids`
  std::vector<std::int32_t> ids;
  std::int32_t type_id = 0;
};

/// TemplateProcessing, and BertProcessing as one.
struct TemplateStep {
  std::vector<TemplateItem> single, pair;
  /// Without special tokens everything stays as it is, type ids too (BertProcessing).
  bool only_with_special = false;
};

/// White space at the ends of tokens is no part of their offsets: ByteLevel, and RobertaProcessing before its template.
struct TrimStep {
  bool add_prefix_space = true;
};

/// The `post_processor` section of tokenizer.json. Immutable.
class PostProcessor {
 public:
  using Step = std::variant<TemplateStep, TrimStep>;
  /// The token of an id as it stands at `slice` of the text: white space that an added token swallows included.
  using Spelling = std::function<std::string(std::int32_t id, std::string_view slice)>;

  void add(TemplateStep step) { steps_.emplace_back(std::move(step)); }
  void add(TrimStep step) { steps_.emplace_back(step); }
  const std::vector<Step>& steps() const { return steps_; }
  /// Joins the encodings of one text or of two, whose offsets are in `originals`.
  EncodedText join(std::vector<EncodedText> texts, std::span<const std::string_view> originals, AddSpecial add,
                   const Spelling& spelling) const;
  /// The ids of one text with what AddSpecial::yes adds.
  std::vector<std::int32_t> wrap(std::vector<std::int32_t> ids) const;
  /// How many ids AddSpecial::yes adds.
  std::size_t added(bool pair) const;
  /// Every id that it may add.
  std::vector<std::int32_t> ids() const;

 private:
  std::vector<Step> steps_;
};

}  // namespace hone
