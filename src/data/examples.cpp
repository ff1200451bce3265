#include "data/examples.h"

#include <algorithm>
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

/// Takes `lost` ids out, those behind the first `kept`.
template <class Value>
void drop(std::vector<Value>& values, std::int64_t kept, std::int64_t lost) {
  if (!values.empty()) values.erase(values.begin() + kept, values.begin() + kept + lost);
}

/// Cuts source and target to the context; returns how many tokens went. What a target begins with stays, and so does
/// the end of a source that the tokenizer added.
std::int64_t cut_row(TokenExample& example, const ModelInput& input, bool left) {
  const std::int64_t source_lost = std::max<std::int64_t>(0, length(example.source_ids) - input.context);
  const std::int64_t lost = std::max<std::int64_t>(0, length(example.ids) - input.context);
  if (source_lost > 0) drop(example.source_ids, left ? 0 : input.context - 1, source_lost);
  const std::int64_t kept = !left ? input.context : input.decoder_start ? 1 : 0;
  drop(example.ids, kept, lost);
  drop(example.learned, kept, lost);
  if (left) example.context_tokens = std::max(kept, example.context_tokens - lost);
  return source_lost + lost;
}

}  // namespace

std::string EncodeReport::text() const {
  std::string text = fmt::format("{} rows, {} tokens", format_count(rows), format_count(tokens));
  if (target_tokens > 0) text += fmt::format(" ({} learned)", format_count(target_tokens));
  if (cut_rows > 0) {
    text += fmt::format("; {} cut to the context ({} tokens lost)", format_count(cut_rows), format_count(cut_tokens));
  }
  if (skipped_rows > 0) {
    text += fmt::format("; {} longer than the context, left out", format_count(skipped_rows));
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
  read_again(example, input);
  return example;
}

void read_again(TokenExample& example, const ModelInput& input) {
  if (!input.decoder_start || example.ids.empty()) return;
  example.source_ids = example.ids;
  example.ids.pop_back();
  example.ids.insert(example.ids.begin(), *input.decoder_start);
}

ExampleEncoder::ExampleEncoder(const Tokenizer& tokenizer, const ModelInput& input, const ExampleRules& rules)
    : tokenizer_(tokenizer), input_(input), rules_(rules) {
  HONE_ASSERT(input.context >= 2);
}

/// As an example of its own, or behind those that await their cutting.
void ExampleEncoder::append(TokenExample example) {
  if (rules_.packing == TextPacking::stream) {
    HONE_ASSERT(example.source_ids.empty());
    for (std::int64_t t = 0; t < length(example.ids); ++t) stream_.learned.push_back(example.learns(t));
    stream_.ids.insert(stream_.ids.end(), example.ids.begin(), example.ids.end());
    return;
  }
  report_.tokens += example.tokens();
  report_.target_tokens += example.target_tokens();
  examples_.push_back(std::move(example));
}

void ExampleEncoder::add_text(std::string_view text, std::string_view where) {
  HONE_ASSERT(!input_.decoder_start);
  TokenExample example{.ids = document_ids(tokenizer_, text), .row = report_.rows++};
  const bool divides = rules_.packing == TextPacking::documents && !rules_.overlong;
  if (example.ids.empty() || (length(example.ids) < 2 && rules_.packing == TextPacking::documents)) {
    ++report_.empty_rows;
  } else if (divides) {
    std::vector<TokenExample> blocks = cut_into_blocks(example, input_.context);
    if (blocks.size() > 1) ++report_.divided_rows;
    for (TokenExample& block : blocks) append(std::move(block));
  } else if (fit(example, where)) {
    append(std::move(example));
  }
}

TokenExample ExampleEncoder::completion(std::string_view prompt, std::string_view completion,
                                        std::string_view where) const {
  TokenExample example{.row = report_.rows};
  if (input_.decoder_start) {
    example.source_ids = encode_source(tokenizer_, prompt);
    if (example.source_ids.empty()) {
      fail(ErrorKind::data, "{}: the prompt is empty, and the tokenizer has no eos", where);
    }
    example.ids.push_back(*input_.decoder_start);
  } else {
    example.ids = tokenizer_.encode(prompt, AddSpecial::yes);
    if (example.ids.empty() && tokenizer_.bos_id()) example.ids.push_back(*tokenizer_.bos_id());
  }
  example.context_tokens = length(example.ids);
  std::vector<std::int32_t> ids = tokenizer_.encode(completion);
  append_eos(tokenizer_, ids);
  example.ids.insert(example.ids.end(), ids.begin(), ids.end());
  return example;
}

TokenExample ExampleEncoder::conversation(const Conversation& conversation, Learned learned,
                                          std::string_view where) const {
  if (input_.decoder_start) {
    fail(ErrorKind::data, "{}: an encoder-decoder model reads a prompt and learns a completion; messages need a decoder",
         where);
  }
  TokenExample example{.row = report_.rows};
  if (learned == Learned::everything) {
    example.ids = encode_chat(tokenizer_, conversation, GenerationPrompt::no, where);
    return example;
  }
  const ChatTurns turns = learned == Learned::last_turn ? ChatTurns::last : ChatTurns::all;
  ChatIds chat = encode_chat_example(tokenizer_, conversation, turns, where);
  example.ids = std::move(chat.ids);
  example.learned = std::move(chat.learned);
  while (example.context_tokens < length(example.ids) && !example.learns(example.context_tokens)) {
    ++example.context_tokens;
  }
  const bool to_the_end = example.target_tokens() == length(example.ids) - std::max<std::int64_t>(1, example.context_tokens);
  if (to_the_end) example.learned.clear();
  return example;
}

bool ExampleEncoder::is_too_long(const TokenExample& example) const {
  return length(example.ids) > input_.context || length(example.source_ids) > input_.context;
}

/// Brings a row down to the context by the rules. False: it is left out. Rows of a stream stay as they are.
bool ExampleEncoder::fit(TokenExample& example, std::string_view where) {
  if (rules_.packing == TextPacking::stream || !is_too_long(example)) return true;
  const Overlong policy = rules_.overlong.value_or(Overlong::truncate_right);
  const bool source_is_longer = length(example.source_ids) > input_.context;
  if (policy == Overlong::skip) {
    ++report_.skipped_rows;
    return false;
  }
  if (policy == Overlong::error || (source_is_longer && !rules_.overlong)) {
    fail(ErrorKind::data, "{}: the {} has {} tokens and the context is {}; shorten it, leave such rows out (overlong: "
         "skip), cut them (overlong: truncate_left or truncate_right) or raise the context", where,
         source_is_longer ? "source" : "row", length(source_is_longer ? example.source_ids : example.ids),
         input_.context);
  }
  ++report_.cut_rows;
  report_.cut_tokens += cut_row(example, input_, policy == Overlong::truncate_left);
  if (example.target_tokens() == 0) {
    fail(ErrorKind::data,
         "{}: the prompt has {} tokens and the context is {}: no token of the completion fits; shorten the prompt, cut "
         "its beginning (overlong: truncate_left), leave such rows out (overlong: skip) or raise the context",
         where, example.context_tokens, input_.context);
  }
  return true;
}

void ExampleEncoder::add_completion(std::string_view prompt, std::string_view completion_text, std::string_view where) {
  TokenExample example = completion(prompt, completion_text, where);
  ++report_.rows;
  if (completion_text.empty() || example.target_tokens() == 0) {
    ++report_.empty_rows;
  } else if (fit(example, where)) {
    append(std::move(example));
  }
}

void ExampleEncoder::add_conversation(const Conversation& messages, std::string_view where) {
  TokenExample example = conversation(messages, rules_.learned, where);
  ++report_.rows;
  if (example.target_tokens() == 0) {
    ++report_.empty_rows;
  } else if (fit(example, where)) {
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

void ExampleEncoder::append_pair(TokenExample better, TokenExample worse, std::string_view where) {
  ++report_.rows;
  for (const bool is_chosen : {true, false}) {
    if ((is_chosen ? better : worse).target_tokens() == 0) {
      fail(ErrorKind::data, "{}: `{}` is empty: a pair compares two answers", where, is_chosen ? "chosen" : "rejected");
    }
  }
  const bool differ = better.ids != worse.ids;
  if (rules_.overlong == Overlong::skip && (is_too_long(better) || is_too_long(worse))) {
    ++report_.skipped_rows;
    return;
  }
  fit(better, where);
  fit(worse, where);
  if (better.ids == worse.ids) {
    fail(ErrorKind::data, "{}: `chosen` and `rejected` are the same{}: a pair must tell which answer is better", where,
         differ ? fmt::format(" within the context of {} tokens", input_.context) : "");
  }
  append(std::move(better));
  append(std::move(worse));
}

void ExampleEncoder::add_pair(std::string_view prompt, std::string_view chosen, std::string_view rejected,
                              std::string_view where) {
  TokenExample better = completion(prompt, chosen, where);
  TokenExample worse = completion(prompt, rejected, where);
  if (chosen.empty()) better.context_tokens = length(better.ids);  // its eos alone is no answer
  if (rejected.empty()) worse.context_tokens = length(worse.ids);
  append_pair(std::move(better), std::move(worse), where);
}

void ExampleEncoder::add_pair(const Conversation& prompt, std::string_view chosen, std::string_view rejected,
                              std::string_view where) {
  if (chosen.empty() || rejected.empty()) {
    fail(ErrorKind::data, "{}: `{}` is empty: a pair compares two answers", where,
         chosen.empty() ? "chosen" : "rejected");
  }
  append_pair(conversation(answered(prompt, chosen), Learned::last_turn, where),
              conversation(answered(prompt, rejected), Learned::last_turn, where), where);
}

std::vector<TokenExample> ExampleEncoder::take() {
  const TextPacking packing = std::exchange(rules_.packing, TextPacking::documents);
  for (TokenExample& block : cut_into_blocks(std::exchange(stream_, {}), input_.context)) {
    block.row = static_cast<std::int64_t>(examples_.size());
    if (block.target_tokens() > 0) append(std::move(block));
  }
  rules_.packing = packing;
  return std::exchange(examples_, {});
}

}  // namespace hone
