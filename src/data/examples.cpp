#include "data/examples.h"

#include <utility>

#include "base/error.h"
#include "base/format.h"

namespace hone {

namespace {

void append_eos(const Tokenizer& tokenizer, std::vector<std::int32_t>& ids) {
  const auto eos = tokenizer.eos_id();
  if (eos && (ids.empty() || ids.back() != *eos)) ids.push_back(*eos);
}

/// Uncut; empty for an empty text.
std::vector<std::int32_t> document_ids(const Tokenizer& tokenizer, std::string_view text) {
  if (text.empty()) return {};
  std::vector<std::int32_t> ids = tokenizer.encode(text, AddSpecial::yes);
  append_eos(tokenizer, ids);
  return ids;
}

std::int64_t length(const std::vector<std::int32_t>& ids) { return static_cast<std::int64_t>(ids.size()); }

void cut_document(const Tokenizer& tokenizer, std::vector<std::int32_t>& ids, std::int64_t context) {
  if (length(ids) <= context) return;
  ids.resize(static_cast<std::size_t>(context));
  if (const auto eos = tokenizer.eos_id()) ids.back() = *eos;
}

}  // namespace

std::string EncodeReport::text() const {
  std::string text = fmt::format("{} rows, {} tokens ({} learned)", format_count(rows), format_count(tokens),
                                 format_count(target_tokens));
  if (cut_rows > 0) {
    text += fmt::format("; {} cut to the context ({} tokens lost)", format_count(cut_rows), format_count(cut_tokens));
  }
  if (divided_rows > 0) text += fmt::format("; {} longer than the context, divided", format_count(divided_rows));
  if (empty_rows > 0) text += fmt::format("; {} empty, left out", format_count(empty_rows));
  return text;
}

std::vector<std::int32_t> encode_document(const Tokenizer& tokenizer, std::string_view text, std::int64_t context) {
  HONE_ASSERT(context >= 2);
  std::vector<std::int32_t> ids = document_ids(tokenizer, text);
  cut_document(tokenizer, ids, context);
  return ids;
}

std::vector<std::int32_t> encode_source(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::int32_t> ids = tokenizer.encode(text, AddSpecial::yes);
  if (ids.empty()) append_eos(tokenizer, ids);
  return ids;
}

TokenExample document_example(const Tokenizer& tokenizer, std::string_view text, const ModelInput& input) {
  TokenExample example{.ids = encode_document(tokenizer, text, input.context)};
  example.context_tokens = length(example.ids);
  if (!input.decoder_start || example.ids.empty()) return example;
  example.source_ids = example.ids;
  example.ids.pop_back();
  example.ids.insert(example.ids.begin(), *input.decoder_start);
  return example;
}

ExampleEncoder::ExampleEncoder(const Tokenizer& tokenizer, const ModelInput& input, TextPacking packing)
    : tokenizer_(tokenizer), input_(input), packing_(packing) {
  HONE_ASSERT(input.context >= 2);
}

void ExampleEncoder::append(TokenExample example) {
  report_.tokens += example.tokens();
  report_.target_tokens += example.target_tokens();
  examples_.push_back(std::move(example));
}

void ExampleEncoder::add_text(std::string_view text) {
  HONE_ASSERT(!input_.decoder_start);
  const std::vector<std::int32_t> ids = document_ids(tokenizer_, text);
  const std::int64_t row = report_.rows++;
  if (packing_ == TextPacking::stream) {
    if (ids.empty()) ++report_.empty_rows;
    stream_.insert(stream_.end(), ids.begin(), ids.end());
    return;
  }
  std::vector<TokenExample> blocks = cut_into_blocks(ids, input_.context, row);
  if (blocks.empty()) ++report_.empty_rows;
  if (blocks.size() > 1) ++report_.divided_rows;
  for (TokenExample& block : blocks) append(std::move(block));
}

/// What a completion follows.
TokenExample ExampleEncoder::opening(std::string_view prompt, std::string_view where) const {
  TokenExample example{.row = report_.rows};
  if (input_.decoder_start) {
    example.source_ids = encode_source(tokenizer_, prompt);
    if (example.source_ids.empty()) {
      fail(ErrorKind::data, "{}: the prompt is empty, and the tokenizer has no eos", where);
    }
    if (length(example.source_ids) > input_.context) {
      fail(ErrorKind::data,
           "{}: the source has {} tokens and the context is {}; shorten the prompt, leave the row out or raise the "
           "context",
           where, length(example.source_ids), input_.context);
    }
    example.ids.push_back(*input_.decoder_start);
  } else {
    example.ids = tokenizer_.encode(prompt, AddSpecial::yes);
    if (example.ids.empty() && tokenizer_.bos_id()) example.ids.push_back(*tokenizer_.bos_id());
  }
  example.context_tokens = length(example.ids);
  if (example.context_tokens >= input_.context) {
    fail(ErrorKind::data,
         "{}: the prompt has {} tokens and the context is {}: no token of the completion fits; shorten the prompt, "
         "leave the row out or raise the context",
         where, example.context_tokens, input_.context);
  }
  return example;
}

TokenExample ExampleEncoder::completion(std::string_view prompt, std::string_view completion, std::string_view where) {
  TokenExample example = opening(prompt, where);
  std::vector<std::int32_t> ids = tokenizer_.encode(completion);
  append_eos(tokenizer_, ids);
  const std::int64_t room = input_.context - example.context_tokens;
  if (length(ids) > room) {
    ++report_.cut_rows;
    report_.cut_tokens += length(ids) - room;
    ids.resize(static_cast<std::size_t>(room));
  }
  example.ids.insert(example.ids.end(), ids.begin(), ids.end());
  return example;
}

void ExampleEncoder::add_completion(std::string_view prompt, std::string_view completion_text, std::string_view where) {
  TokenExample example = completion(prompt, completion_text, where);
  ++report_.rows;
  if (completion_text.empty() || example.target_tokens() == 0) {
    ++report_.empty_rows;
  } else {
    append(std::move(example));
  }
}

void ExampleEncoder::add_labelled(std::string_view text, std::int64_t label) {
  HONE_ASSERT(label >= 0);
  TokenExample example = document_example(tokenizer_, text, input_);
  example.label = label;
  example.row = report_.rows++;
  if (example.ids.empty()) {
    ++report_.empty_rows;
    return;
  }
  if (length(example.ids) == input_.context) {
    const std::int64_t lost = length(document_ids(tokenizer_, text)) - input_.context;
    if (lost > 0) ++report_.cut_rows;
    report_.cut_tokens += lost;
  }
  append(std::move(example));
}

void ExampleEncoder::add_pair(std::string_view prompt, std::string_view chosen, std::string_view rejected,
                              std::string_view where) {
  TokenExample better = completion(prompt, chosen, where);
  TokenExample worse = completion(prompt, rejected, where);
  for (const bool is_chosen : {true, false}) {
    if ((is_chosen ? chosen : rejected).empty() || (is_chosen ? better : worse).target_tokens() == 0) {
      fail(ErrorKind::data, "{}: `{}` is empty: a pair compares two answers", where, is_chosen ? "chosen" : "rejected");
    }
  }
  if (better.ids == worse.ids) {
    fail(ErrorKind::data, "{}: `chosen` and `rejected` are the same{}: a pair must tell which answer is better", where,
         chosen == rejected ? "" : fmt::format(" within the context of {} tokens", input_.context));
  }
  append(std::move(better));
  append(std::move(worse));
  ++report_.rows;
}

std::vector<TokenExample> ExampleEncoder::take() {
  for (TokenExample& block : cut_into_blocks(std::exchange(stream_, {}), input_.context, 0)) {
    block.row = static_cast<std::int64_t>(examples_.size());
    append(std::move(block));
  }
  return std::exchange(examples_, {});
}

}  // namespace hone
