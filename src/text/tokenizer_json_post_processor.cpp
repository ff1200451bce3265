#include "base/error.h"
#include "text/tokenizer_json_sections.h"

namespace hone {
namespace {

std::int32_t id_of(const JsonField& field) {
  const std::int64_t id = field.integer();
  if (id < 0 || id > INT32_MAX) field.refuse(std::to_string(id));
  return static_cast<std::int32_t>(id);
}

TemplateItem read_item(const JsonField& item, const JsonField& special_tokens) {
  TemplateItem result;
  const bool is_text = item.value().find("Sequence") != nullptr;
  const JsonField body = item[is_text ? "Sequence" : "SpecialToken"];
  if (body.is_null()) fail(ErrorKind::data, "{}: expected Sequence or SpecialToken", item.where());
  if (!body["type_id"].is_null()) result.type_id = id_of(body["type_id"]);
  const std::string& name = body["id"].string();
  if (is_text) {
    if (name != "A" && name != "B") body["id"].refuse("\"" + name + "\"");
    result.sequence = name == "A" ? 0 : 1;
    return result;
  }
  const JsonField ids = special_tokens[name]["ids"];
  for (std::size_t k = 0; k < ids.array().size(); ++k) result.ids.push_back(id_of(ids.element(k)));
  return result;
}

std::vector<TemplateItem> read_items(const JsonField& list, const JsonField& special_tokens, bool pair) {
  std::vector<TemplateItem> items;
  bool has_first = false;
  for (std::size_t i = 0; i < list.array().size(); ++i) {
    items.push_back(read_item(list.element(i), special_tokens));
    has_first = has_first || items.back().sequence == 0;
    if (items.back().sequence == 1 && !pair) list.refuse("B in the template of a single text");
  }
  if (!has_first) list.refuse("a template without the text A");
  return items;
}

TemplateStep read_template(const JsonField& field) {
  TemplateStep step;
  step.single = read_items(field["single"], field["special_tokens"], false);
  if (field["pair"].is_null()) {
    step.pair = step.single;
    step.pair.push_back({.sequence = 1, .ids = {}, .type_id = 1});
  } else {
    step.pair = read_items(field["pair"], field["special_tokens"], true);
  }
  return step;
}

/// ["[SEP]", 102]
std::int32_t named_id(const JsonField& pair) {
  if (pair.array().size() != 2) fail(ErrorKind::data, "{}: expected a token and its id", pair.where());
  return id_of(pair.element(1));
}

TemplateStep bert_template(std::int32_t cls, std::int32_t sep) {
  const TemplateItem first{.sequence = 0, .ids = {}}, second{.sequence = 1, .ids = {}, .type_id = 1};
  const TemplateItem opens{.ids = {cls}}, ends{.ids = {sep}}, ends_second{.ids = {sep}, .type_id = 1};
  return {{opens, first, ends}, {opens, first, ends, second, ends_second}, true};
}

TemplateStep roberta_template(std::int32_t cls, std::int32_t sep) {
  const TemplateItem first{.sequence = 0, .ids = {}}, second{.sequence = 1, .ids = {}};
  const TemplateItem opens{.ids = {cls}}, ends{.ids = {sep}};
  return {{opens, first, ends}, {opens, first, ends, ends, second, ends}, false};
}

void read_step(const JsonField& field, PostProcessor& result) {
  const std::string type = field.type();
  if (type == "Sequence") {
    const JsonField steps = field["processors"];
    for (std::size_t i = 0; i < steps.array().size(); ++i) read_step(steps.element(i), result);
  } else if (type == "ByteLevel") {
    if (field.flag("trim_offsets", true)) result.add(TrimStep{field.flag("add_prefix_space", true)});
  } else if (type == "TemplateProcessing") {
    result.add(read_template(field));
  } else if (type == "BertProcessing") {
    result.add(bert_template(named_id(field["cls"]), named_id(field["sep"])));
  } else if (type == "RobertaProcessing") {
    if (field.flag("trim_offsets", true)) result.add(TrimStep{field.flag("add_prefix_space", true)});
    result.add(roberta_template(named_id(field["cls"]), named_id(field["sep"])));
  } else {
    field.refuse(fmt::format("type \"{}\"", type));
  }
}

std::size_t size_of(const JsonField& field) {
  const std::int64_t size = field.integer();
  if (size < 0) field.refuse(std::to_string(size));
  return static_cast<std::size_t>(size);
}

Side read_side(const JsonField& field) {
  if (field.is_null() || field.string() == "Right") return Side::right;
  if (field.string() != "Left") field.refuse("\"" + field.string() + "\"");
  return Side::left;
}

}  // namespace

PostProcessor read_post_processor(const JsonField& field) {
  PostProcessor result;
  if (!field.is_null()) read_step(field, result);
  int templates = 0;
  for (const auto& step : result.steps()) templates += std::holds_alternative<TemplateStep>(step);
  if (templates > 1) field.refuse("more than one template");
  return result;
}

std::optional<Truncation> read_truncation(const JsonField& field) {
  if (field.is_null()) return std::nullopt;
  Truncation result;
  result.max_length = size_of(field["max_length"]);
  result.side = read_side(field["direction"]);
  const std::string strategy = field["strategy"].is_null() ? "LongestFirst" : field["strategy"].string();
  if (strategy == "OnlyFirst") {
    result.strategy = TruncationStrategy::only_first;
  } else if (strategy == "OnlySecond") {
    result.strategy = TruncationStrategy::only_second;
  } else if (strategy != "LongestFirst") {
    field["strategy"].refuse("\"" + strategy + "\"");
  }
  return result;
}

std::optional<Padding> read_padding(const JsonField& field) {
  if (field.is_null()) return std::nullopt;
  Padding result;
  const JsonField strategy = field["strategy"];
  if (strategy.value().is_object()) {
    result.fixed = size_of(strategy["Fixed"]);
  } else if (strategy.string() != "BatchLongest") {
    strategy.refuse("\"" + strategy.string() + "\"");
  }
  result.side = read_side(field["direction"]);
  if (!field["pad_to_multiple_of"].is_null()) result.multiple_of = size_of(field["pad_to_multiple_of"]);
  result.id = id_of(field["pad_id"]);
  if (!field["pad_type_id"].is_null()) result.type_id = id_of(field["pad_type_id"]);
  return result;
}

}  // namespace hone
