#include "data/prompts.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace hone {

namespace {

constexpr std::string_view spaces = " \t\r\n\f\v";

/// Where the first `words` words of the text end, or npos when no further word follows.
std::size_t end_of_words(std::string_view text, std::int64_t words) {
  std::size_t end = 0;
  for (std::int64_t i = 0; i < words; ++i) {
    end = text.find_first_of(spaces, text.find_first_not_of(spaces, end));
    if (end == std::string_view::npos) return end;
  }
  return text.find_first_not_of(spaces, end) == std::string_view::npos ? std::string_view::npos : end;
}

class DatasetPrompts : public PromptSource {
 public:
  explicit DatasetPrompts(std::shared_ptr<const Dataset> data) : data_(std::move(data)) {
    if (data_->alters()) refuse_redrawn_rows(data_->name());
    for (const Split split : {Split::train, Split::held_out}) {
      if (data_->has(split)) collect(split);
    }
    if (usable(Split::train).empty() && data_->has(Split::train)) {
      fail(ErrorKind::data, "data.{}: no text has more than `prompt_words` ({}) words, so none can be a prompt",
           data_->name(), data_->prompt_words());
    }
  }

  std::uint64_t size(Split split) const override { return usable(split).size(); }

  Prompt prompt(Split split, std::uint64_t index) const override {
    if (index >= size(split)) data_->rows(split);  // says why an empty split is empty
    HONE_ASSERT(index < size(split));
    const DataRow& row = row_at(split, index);
    Prompt prompt{.id = prompt_id(split, index), .split = split};
    prompt.messages.assign(row.messages.begin(), row.messages.begin() + context_messages(row));
    prompt.tools = row.tools;
    if (has_text()) {
      prompt.text = row.text.substr(0, cut(row));
    } else {
      prompt.text = row.prompt;
    }
    prompt.reference = reference(row);
    return prompt;
  }

  std::size_t row_number(Split split, std::uint64_t index) const { return usable(split)[index]; }

  std::optional<std::string> demonstration(const Prompt& prompt) const override {
    const std::uint64_t index = prompt.id >> 1;
    HONE_ASSERT(index < size(prompt.split));
    return answer(row_at(prompt.split, index));
  }

 private:
  void collect(Split split) {
    const auto rows = data_->rows(split);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool too_short = data_->prompt_words() > 0 && cut(rows[i]) == std::string::npos;
      if (!too_short) usable_[static_cast<std::size_t>(split)].push_back(i);
    }
  }

  const std::vector<std::size_t>& usable(Split split) const { return usable_[static_cast<std::size_t>(split)]; }
  const DataRow& row_at(Split split, std::uint64_t index) const { return data_->rows(split)[row_number(split, index)]; }

  bool has_text() const { return data_->shape_name().starts_with("text"); }

  /// End of the prompt in a row's text.
  std::size_t cut(const DataRow& row) const {
    return data_->prompt_words() == 0 ? std::string::npos : end_of_words(row.text, data_->prompt_words());
  }

  static std::ptrdiff_t context_messages(const DataRow& row) {
    const bool answered = !row.messages.empty() && row.messages.back().role == "assistant";
    return static_cast<std::ptrdiff_t>(row.messages.size()) - (answered ? 1 : 0);
  }

  std::optional<std::string> answer(const DataRow& row) const {
    switch (data_->shape()) {
      case DataShape::prompt_completion:
      case DataShape::prompt_completion_label: return row.completion;
      case DataShape::preference:
      case DataShape::messages_preference: return row.chosen;
      case DataShape::messages:
      case DataShape::messages_label:
        if (context_messages(row) == static_cast<std::ptrdiff_t>(row.messages.size())) return std::nullopt;
        return row.messages.back().content;
      default:
        if (!has_text() || data_->prompt_words() == 0) return std::nullopt;
        return row.text.substr(cut(row));
    }
  }

  Json reference(const DataRow& row) const {
    if (!row.reference.is_null()) return row.reference;
    if (!row.label.empty()) return row.label;
    const std::optional<std::string> known = answer(row);
    return known ? Json(*known) : Json();
  }

  std::shared_ptr<const Dataset> data_;
  std::array<std::vector<std::size_t>, 2> usable_;  ///< rows that can be prompts, by split
};

}  // namespace

std::unique_ptr<PromptSource> make_prompt_source(std::shared_ptr<const Dataset> data) {
  return std::make_unique<DatasetPrompts>(std::move(data));
}

void for_each_prompt(std::shared_ptr<const Dataset> data, Split split, std::uint64_t most,
                     const std::function<void(const Prompt& prompt, std::size_t row)>& use) {
  const DatasetPrompts prompts(std::move(data));
  for (std::uint64_t index = 0; index < std::min(most, prompts.size(split)); ++index) {
    use(prompts.prompt(split, index), prompts.row_number(split, index));
  }
}

}  // namespace hone
