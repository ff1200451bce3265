#include "data/prepare_rows.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "base/error.h"
#include "base/format.h"
#include "base/random.h"
#include "base/utf8.h"
#include "data/cleaning.h"
#include "data/duplicates.h"
#include "data/normalize.h"
#include "text/code_points.h"

namespace hone {

namespace {

std::vector<std::string*> texts_of(DataRow& row) {
  std::vector<std::string*> texts;
  for (std::string* text : {&row.text, &row.text_pair, &row.prompt, &row.completion, &row.chosen, &row.rejected,
                            &row.question, &row.positive, &row.negative}) {
    if (!text->empty()) texts.push_back(text);
  }
  for (Message& message : row.messages) texts.push_back(&message.content);
  for (std::string& step : row.steps) texts.push_back(&step);
  return texts;
}

bool within(std::int64_t length, const std::optional<std::int64_t>& least, const std::optional<std::int64_t>& most) {
  return (!least || length >= *least) && (!most || length <= *most);
}

/// Row numbers by class, in the order of names.
std::map<std::string, std::vector<std::size_t>> by_class(const std::vector<DataRow>& rows) {
  std::map<std::string, std::vector<std::size_t>> classes;
  for (std::size_t i = 0; i < rows.size(); ++i) classes[rows[i].label].push_back(i);
  return classes;
}

/// The rows that `stay`, in their order.
void keep(std::vector<DataRow>& rows, const std::vector<bool>& stay) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!stay[i]) continue;
    if (kept != i) rows[kept] = std::move(rows[i]);
    ++kept;
  }
  rows.resize(kept);
}

}  // namespace

std::vector<const std::string*> row_texts(const DataRow& row) {
  const std::vector<std::string*> texts = texts_of(const_cast<DataRow&>(row));
  return {texts.begin(), texts.end()};
}

std::string whole_text(const DataRow& row) {
  std::string whole;
  for (const std::string* text : row_texts(row)) whole.append(whole.empty() ? "" : "\n").append(*text);
  for (const std::string& token : row.tokens) whole.append(whole.empty() ? "" : " ").append(token);
  return whole;
}

std::int64_t word_count(std::string_view text) {
  std::int64_t words = 0;
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const bool space = is_white_space(next_code_point(text, at));
    words += !space && !inside ? 1 : 0;
    inside = !space;
  }
  return words;
}

std::string PreparationReport::text() const {
  std::string text;
  const auto add = [&](std::int64_t count, std::string_view what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", format_count(count), what);
  };
  add(outside_length, "rows too short or too long");
  add(equal_rows, "repeated rows left out");
  add(alike_rows, "nearly repeated rows left out");
  add(unbalanced_rows, "rows of larger classes left out");
  add(repeated_rows, "rows of smaller classes repeated");
  add(altered_rows, "altered copies");
  return text;
}

RowAlteration::RowAlteration(const AugmentationConfig& config, std::uint64_t key)
    : config_(config), key_(key), synonyms_(config.synonyms ? Synonyms::read(*config.synonyms) : Synonyms()) {}

void RowAlteration::alter(DataRow& row, Random& random) const {
  for (std::string* text : texts_of(row)) *text = altered_text(*text, config_, synonyms_, random);
}

DataRow RowAlteration::copy(DataRow row, std::size_t number, std::int64_t copy) const {
  Random random(key_, number, static_cast<std::uint32_t>(copy));
  alter(row, random);
  return row;
}

DataRow RowAlteration::visit(const DataRow& row, std::size_t number, std::uint64_t epoch) const {
  Random random(stream_key(key_, "visit"), number, static_cast<std::uint32_t>(epoch));
  DataRow read = row;
  if (random.below(static_cast<std::uint64_t>(config_.copies) + 1) > 0) alter(read, random);
  return read;
}

RowPreparation::RowPreparation(const PreparationConfig& config, std::string where, std::uint64_t seed,
                               const Tokenizer* tokenizer)
    : config_(config), where_(std::move(where)), seed_(seed), tokenizer_(tokenizer) {
  if (config.filter.counts_tokens() && tokenizer == nullptr) {
    fail(ErrorKind::config,
         "{}.filter: min_tokens and max_tokens count tokens, and there is no tokenizer yet: rows that a tokenizer is "
         "trained on are filtered by words or characters",
         where_);
  }
}

bool RowPreparation::fits(const DataRow& row) const {
  const FilterConfig& filter = config_.filter;
  const std::string whole = whole_text(row);
  if (!within(static_cast<std::int64_t>(utf8_length(whole)), filter.min_characters, filter.max_characters)) return false;
  if (!within(word_count(whole), filter.min_words, filter.max_words)) return false;
  if (!filter.counts_tokens()) return true;
  std::int64_t tokens = 0;
  for (const std::string* text : row_texts(row)) tokens += static_cast<std::int64_t>(tokenizer_->encode(*text).size());
  for (const std::string& word : row.tokens) tokens += static_cast<std::int64_t>(tokenizer_->encode(word).size());
  return within(tokens, filter.min_tokens, filter.max_tokens);
}

bool RowPreparation::admit(DataRow& row, DataShape shape) {
  if (config_.clean.any()) {
    if (shape == DataShape::question || shape == DataShape::tokens_tags) {
      fail(ErrorKind::config, "{}.clean: rows of {} point into their texts, which must stay as they are", where_,
           name_of(shape));
    }
    for (std::string* text : texts_of(row)) *text = clean_text(*text, config_.clean);
  }
  if (!config_.filter.any()) return true;
  const bool admitted = fits(row);
  report_.outside_length += admitted ? 0 : 1;
  return admitted;
}

void RowPreparation::require_classes(DataShape shape, std::string_view key) const {
  const std::string_view name = name_of(shape);
  if (name.ends_with("+label")) return;
  fail(ErrorKind::config, "{}.{}: rows of {} have no single class; expected rows of text+label or prompt+label", where_,
       key, name);
}

void RowPreparation::hold_out(double share, DataShape shape, std::vector<DataRow>& train,
                              std::vector<DataRow>& held_out) const {
  require_classes(shape, "stratified");
  std::vector<bool> stay(train.size(), true);
  for (const auto& [label, rows] : by_class(train)) {
    std::vector<std::pair<double, std::size_t>> order;
    for (const std::size_t i : rows) order.emplace_back(text_share(train[i].identity(), "held out"), i);
    std::ranges::sort(order);
    const auto wanted = static_cast<std::size_t>(std::lround(share * static_cast<double>(rows.size())));
    for (std::size_t n = 0; n < order.size(); ++n) {
      if (n >= wanted && (n == 0 || order[n].first != order[n - 1].first)) break;
      stay[order[n].second] = false;
    }
  }
  for (std::size_t i = 0; i < train.size(); ++i) {
    if (!stay[i]) held_out.push_back(std::move(train[i]));
  }
  keep(train, stay);
}

void RowPreparation::deduplicate(std::vector<DataRow>& train, std::vector<DataRow>& held_out) {
  const auto pass = [&](const auto& first_of) -> std::int64_t {
    const std::size_t before = held_out.size(), count = before + train.size();
    const std::vector<std::size_t> first = first_of(
        count, [&](std::size_t i) { return whole_text(i < before ? held_out[i] : train[i - before]); });
    std::vector<bool> stay_held_out(before), stay_train(train.size());
    std::int64_t left_out = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const bool stays = first[i] == i;
      i < before ? stay_held_out[i] = stays : stay_train[i - before] = stays;
      left_out += stays ? 0 : 1;
    }
    keep(held_out, stay_held_out);
    keep(train, stay_train);
    return left_out;
  };
  const DeduplicationConfig& config = config_.deduplicate;
  if (config.exact) {
    report_.equal_rows = pass([](std::size_t count, const TextAt& text) { return first_equal(count, text); });
  }
  if (config.near > 0) {
    report_.alike_rows = pass([&](std::size_t count, const TextAt& text) {
      return first_alike(count, text, config.near, static_cast<std::size_t>(config.shingle));
    });
  }
}

void RowPreparation::balance(DataShape shape, std::vector<DataRow>& train) {
  require_classes(shape, "balance");
  const auto classes = by_class(train);
  std::size_t least = train.size(), most = 0;
  for (const auto& [label, rows] : classes) {
    least = std::min(least, rows.size());
    most = std::max(most, rows.size());
  }
  std::vector<bool> stay(train.size(), true);
  std::vector<DataRow> added;
  std::uint64_t number = 0;
  for (const auto& [label, rows] : classes) {
    std::vector<std::size_t> order = rows;
    Random random(stream_key(seed_, "balance"), number++);
    if (config_.balance == Balance::undersample) {
      random.shuffle(order);
      for (std::size_t i = least; i < order.size(); ++i) stay[order[i]] = false;
      report_.unbalanced_rows += static_cast<std::int64_t>(order.size() - least);
      continue;
    }
    for (std::size_t n = 0; n + rows.size() < most; ++n) {  // whole rounds, then part of one
      if (n % rows.size() == 0) random.shuffle(order);
      added.push_back(train[order[n % rows.size()]]);
    }
  }
  report_.repeated_rows = static_cast<std::int64_t>(added.size());
  keep(train, stay);
  std::ranges::move(added, std::back_inserter(train));
}

void RowPreparation::augment(DataShape shape, std::vector<DataRow>& train) {
  const std::string_view name = name_of(shape);
  if (!name.starts_with("text") && shape != DataShape::prompt_label && !name.starts_with("anchor")) {
    fail(ErrorKind::config,
         "{}.augment: altered copies are made of rows whose meaning survives a changed word (text, text+label, "
         "text+text_pair, prompt+label, anchor+positive …), these are rows of {}",
         where_, name);
  }
  const AugmentationConfig& config = config_.augment;
  auto alteration = std::make_shared<const RowAlteration>(config, stream_key(seed_, "augment"));
  if (config.each_epoch) {
    alteration_ = std::move(alteration);
    return;
  }
  const std::size_t count = train.size();
  train.reserve(count * static_cast<std::size_t>(config.copies + 1));
  for (std::int64_t copy = 0; copy < config.copies; ++copy) {
    for (std::size_t i = 0; i < count; ++i) train.push_back(alteration->copy(train[i], i, copy));
  }
  report_.altered_rows = static_cast<std::int64_t>(train.size() - count);
}

void RowPreparation::finish(DataShape shape, std::vector<DataRow>& train, std::vector<DataRow>& held_out) {
  if (config_.deduplicate.any()) deduplicate(train, held_out);
  if (config_.balance != Balance::none) balance(shape, train);
  if (config_.augment.copies > 0) augment(shape, train);
}

}  // namespace hone
