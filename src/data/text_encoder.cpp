#include "data/text_encoder.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "text/batching.h"

namespace hone {

namespace {

std::int64_t length(const std::vector<std::int32_t>& ids) { return static_cast<std::int64_t>(ids.size()); }

void append(std::vector<std::int32_t>& to, std::span<const std::int32_t> ids) {
  to.insert(to.end(), ids.begin(), ids.end());
}

}  // namespace

void LengthLimit::describe(Fields& f) {
  f.field("max_tokens", max_tokens, "Longest row in tokens, with those that the tokenizer adds; by default what the model "
                                    "reads.", at_least(2));
  f.choice("overlong", overlong, overlong_names,
           "What becomes of longer rows: they lose their end (of two texts the longer one first) or their beginning, are "
           "left out, or stop the run. How many there were is told.");
}

TextEncoder::TextEncoder(const Tokenizer& tokenizer, const ModelInput& input, const LengthLimit& limit)
    : tokenizer_(tokenizer),
      input_(input),
      overlong_(limit.overlong),
      longest_(std::min(limit.max_tokens.value_or(input.context), input.context)),
      around_(text_template(tokenizer)) {
  const std::int64_t added = length(around_.before) + length(around_.behind);
  if (longest_ <= added) {
    fail(ErrorKind::config, "max_tokens is {}, and the tokenizer adds {} to every text: no token of it fits", longest_,
         added);
  }
}

std::optional<std::int64_t> TextEncoder::room(std::int64_t tokens, std::int64_t added, std::string_view where) {
  const std::int64_t most = longest_ - added;
  if (tokens <= most) return tokens;
  if (overlong_ == Overlong::error || most < 1) {
    fail(ErrorKind::data,
         "{}: the row has {} tokens, expected at most {}; shorten it, raise max_tokens or set overlong to "
         "truncate_right, truncate_left or skip",
         where, tokens + added, longest_);
  }
  if (overlong_ == Overlong::skip) {
    ++report_.skipped_rows;
    return std::nullopt;
  }
  ++report_.cut_rows;
  report_.cut_tokens += tokens - most;
  return most;
}

std::size_t TextEncoder::first_kept(std::size_t size, std::size_t count) const {
  return overlong_ == Overlong::truncate_left ? size - count : 0;
}

void TextEncoder::append_kept(std::vector<std::int32_t>& to, std::span<const std::int32_t> ids,
                              std::size_t count) const {
  append(to, ids.subspan(first_kept(ids.size(), count), count));
}

TokenExample TextEncoder::single(std::string_view text, std::string_view where) {
  const std::vector<std::int32_t> ids = tokenizer_.encode(text);
  const auto count = room(length(ids), length(around_.before) + length(around_.behind), where);
  TokenExample example;
  if (!count) return example;
  example.ids = around_.before;
  append_kept(example.ids, ids, static_cast<std::size_t>(*count));
  append(example.ids, around_.behind);
  return example;
}

TokenExample TextEncoder::joined(std::string_view first, std::string_view second, std::string_view where) {
  if (!pair_) pair_ = pair_template(tokenizer_);
  const std::vector<std::int32_t> a = tokenizer_.encode(first), b = tokenizer_.encode(second);
  const std::int64_t added = length(pair_->before) + length(pair_->between) + length(pair_->behind);
  const auto count = room(length(a) + length(b), added, where);
  TokenExample example;
  if (!count) return example;
  const auto [of_a, of_b] = longest_first(a.size(), b.size(), static_cast<std::size_t>(*count));
  example.ids = pair_->before;
  append_kept(example.ids, a, of_a);
  append(example.ids, pair_->between);
  const std::size_t second_begin = example.ids.size();
  append_kept(example.ids, b, of_b);
  append(example.ids, pair_->behind);
  if (input_.token_types && pair_->two_types) {
    example.type_ids.assign(second_begin, 0);
    example.type_ids.resize(example.ids.size(), 1);
  }
  return example;
}

TokenExample TextEncoder::encode(std::string_view text, std::optional<std::string_view> pair, std::string_view where,
                                 std::int64_t row) {
  const std::int64_t skipped = report_.skipped_rows;
  return counted(pair ? joined(text, *pair, where) : single(text, where), row, skipped);
}

TokenExample TextEncoder::encode(const Conversation& conversation, std::string_view where, std::int64_t row) {
  const std::int64_t skipped = report_.skipped_rows;
  const std::vector<std::int32_t> ids = encode_chat(tokenizer_, conversation, GenerationPrompt::no, where);
  TokenExample example;
  if (const auto count = room(length(ids), 0, where)) append_kept(example.ids, ids, static_cast<std::size_t>(*count));
  return counted(std::move(example), row, skipped);
}

/// The example as it is read and reported.
TokenExample TextEncoder::counted(TokenExample example, std::int64_t row, std::int64_t skipped_before) {
  ++report_.rows;
  example.context_tokens = length(example.ids);
  example.row = row;
  if (example.ids.empty() && report_.skipped_rows == skipped_before) ++report_.empty_rows;
  read_again(example, input_);
  report_.tokens += example.tokens();
  return example;
}

std::optional<TokenExample> TextEncoder::wrap(std::span<const std::int32_t> ids, std::span<const std::int64_t> tags,
                                              std::string_view where, std::int64_t row) {
  HONE_ASSERT(ids.size() == tags.size());
  ++report_.rows;
  const auto added = length(around_.before) + length(around_.behind);
  const auto count = room(static_cast<std::int64_t>(ids.size()), added, where);
  if (!count) return std::nullopt;
  const auto size = static_cast<std::size_t>(*count);
  const auto kept_tags = tags.subspan(first_kept(tags.size(), size), size);
  TokenExample example{.ids = around_.before, .tags = std::vector<std::int64_t>(around_.before.size(), -1), .row = row};
  append_kept(example.ids, ids, size);
  example.tags.insert(example.tags.end(), kept_tags.begin(), kept_tags.end());
  append(example.ids, around_.behind);
  example.tags.resize(example.ids.size(), -1);
  if (example.ids.empty()) {
    ++report_.empty_rows;
    return std::nullopt;
  }
  report_.tokens += example.tokens();
  report_.target_tokens += example.target_tokens();
  return example;
}

}  // namespace hone
