#include "app/evaluate_tasks.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>

#include <fmt/ranges.h>

#include "app/predict_tasks.h"
#include "base/error.h"
#include "base/format.h"
#include "base/utf8.h"
#include "predict/text_classification.h"

namespace hone {

namespace {

PredictTask task_named(std::string_view name, const TaskModel& model, const PredictOptions& options) {
  const auto rows = predict_tasks();
  const auto row = std::ranges::find(rows, name, &TaskRow::name);
  HONE_ASSERT(row != rows.end());
  return row->make(model, options);
}

/// The task's result for row i; what goes wrong names the row's place.
Json result_of(const PredictTask& task, const Json& input, const Dataset& data, Split split, std::size_t i) {
  try {
    return task(input);
  } catch (const Error& error) {
    fail(error.kind(), "{}: {}", data.place(split, i), error.what());
  }
}

Json text_input(const DataRow& row) {
  if (!row.messages.empty()) return Json::Object{{"messages", to_json(row.messages)}, {"tools", row.tools}};
  const std::string& text = row.text.empty() ? row.prompt : row.text;
  if (row.text_pair.empty()) return Json(text);
  return Json::Object{{"text", text}, {"text_pair", row.text_pair}};
}

/// The class of a label by its name; where the model's names are others, whole numbers are ids.
std::int64_t class_of(const std::vector<std::string>& classes, const std::string& label, const std::string& where) {
  const auto named = std::ranges::find(classes, label);
  if (named != classes.end()) return named - classes.begin();
  std::int64_t id = -1;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), id);
  const bool whole = error == std::errc() && end == label.data() + label.size();
  if (whole && id >= 0 && id < std::ssize(classes)) return id;
  fail(ErrorKind::data, "{}: the label '{}' is none of the model's classes{}", where, label, suggestion(label, classes));
}

double number_in(const DataRow& row, DataShape shape, const std::string& where) {
  return name_of(shape).ends_with("+value") ? row.value : number_of(row.label, where);
}

void evaluate_classes(const TaskModel& model, const Dataset& data, Split split, std::size_t count, EvaluatedRows& out) {
  ClassifiedRows& rows = out.classified;
  rows.classes = read_labels(model.config, model.directory);
  const bool regression = rows.classes.size() == 1;
  out.task = regression ? "regression" : "text-classification";
  PredictOptions options;
  options.top_k = std::ssize(rows.classes);
  const PredictTask task = task_named("text-classification", model, options);
  for (std::size_t i = 0; i < count; ++i) {
    const DataRow& row = data.rows(split)[i];
    const std::string where = data.place(split, i);
    const Json result = result_of(task, text_input(row), data, split, i);
    if (regression) {
      out.numbers.push_back(result.as_array().at(0).at("score").as_number());
      out.expected_numbers.push_back(number_in(row, data.shape(), where));
      continue;
    }
    rows.labels.push_back(class_of(rows.classes, row.label, where));
    rows.predictions.push_back(class_of(rows.classes, result.as_array().at(0).at("label").as_string(), where));
    std::vector<double> probabilities(rows.classes.size());
    for (const Json& item : result.as_array()) {
      probabilities[static_cast<std::size_t>(class_of(rows.classes, item.at("label").as_string(), where))] =
          item.at("score").as_number();
    }
    rows.probabilities.insert(rows.probabilities.end(), probabilities.begin(), probabilities.end());
  }
  if (regression) rows.classes.clear();
}

void evaluate_labels(const TaskModel& model, const Dataset& data, Split split, std::size_t count, EvaluatedRows& out) {
  MultiLabelRows& rows = out.multi_label;
  rows.classes = read_labels(model.config, model.directory);
  out.task = multi_label_task;
  if (score_function(model.config, rows.classes.size(), model.directory) != ScoreFunction::sigmoid) {
    fail(ErrorKind::data,
         "{}: the model says one class of a text, and data.{} has several a row; expected problem_type "
         "multi_label_classification in its config.json",
         model.directory, data.name());
  }
  PredictOptions options;
  options.top_k = std::ssize(rows.classes);
  const PredictTask task = task_named("text-classification", model, options);
  rows.labels.assign(count * rows.classes.size(), 0);
  rows.probabilities.resize(count * rows.classes.size());
  for (std::size_t i = 0; i < count; ++i) {
    const DataRow& row = data.rows(split)[i];
    const std::string where = data.place(split, i);
    const auto place = [&](const std::string& label) {
      return i * rows.classes.size() + static_cast<std::size_t>(class_of(rows.classes, label, where));
    };
    for (const std::string& label : row.labels) rows.labels[place(label)] = 1;
    const Json result = result_of(task, text_input(row), data, split, i);
    for (const Json& item : result.as_array()) {
      rows.probabilities[place(item.at("label").as_string())] = item.at("score").as_number();
    }
  }
}

/// The tag of each word: that of the token that holds the word's first character.
std::vector<std::string> word_tags(const std::vector<std::string>& words, const Json& entities) {
  std::map<std::int64_t, std::pair<std::int64_t, std::string>> by_start;
  for (const Json& entity : entities.as_array()) {
    by_start[entity.at("start").as_integer()] = {entity.at("end").as_integer(), entity.at("entity").as_string()};
  }
  std::vector<std::string> tags;
  std::int64_t begin = 0;
  for (const std::string& word : words) {
    const auto behind = by_start.upper_bound(begin);
    const bool held = behind != by_start.begin() && std::prev(behind)->second.first > begin;
    tags.push_back(held ? std::prev(behind)->second.second : "O");
    begin += static_cast<std::int64_t>(utf8_length(word)) + 1;
  }
  return tags;
}

void evaluate_tags(const TaskModel& model, const Dataset& data, Split split, std::size_t count, EvaluatedRows& out) {
  out.task = "token-classification";
  const PredictTask task = task_named(out.task, model, PredictOptions{});
  for (std::size_t i = 0; i < count; ++i) {
    const DataRow& row = data.rows(split)[i];
    const std::string text = fmt::format("{}", fmt::join(row.tokens, " "));
    out.tags.push_back(word_tags(row.tokens, result_of(task, Json(text), data, split, i)));
    out.expected_tags.push_back(row.tags);
  }
}

void evaluate_questions(const TaskModel& model, const Dataset& data, Split split, std::size_t count,
                        EvaluatedRows& out) {
  out.task = "question-answering";
  PredictOptions options;
  options.top_k = 1;
  options.no_answer = std::ranges::any_of(data.rows(split).first(count),
                                          [](const DataRow& row) { return row.answers.empty(); });
  const PredictTask task = task_named(out.task, model, options);
  for (std::size_t i = 0; i < count; ++i) {
    const DataRow& row = data.rows(split)[i];
    const Json input = Json::Object{{"question", row.question}, {"context", row.text}};
    const Json result = result_of(task, input, data, split, i);
    const Json& best = result.is_array() ? result.as_array().at(0) : result;
    out.texts.push_back(best.at("answer").as_string());
    std::vector<std::string>& references = out.references.emplace_back();
    for (const ContextAnswer& answer : row.answers) references.push_back(answer.text);
  }
}

}  // namespace

void evaluate_head(const TaskModel& model, const Dataset& data, Split split, std::size_t count, EvaluatedRows& out) {
  const HeadKind kind = model.model->score->kind();
  const std::string_view shape = data.shape_name();
  const auto require = [&](bool fits, std::string_view expected) {
    if (fits) return;
    fail(ErrorKind::data, "{}: the model's head judges {}, data.{} has rows of {}", model.directory, expected, data.name(),
         shape);
  };
  if (kind == HeadKind::tokens) {
    require(data.shape() == DataShape::tokens_tags, "rows of tokens+tags");
    return evaluate_tags(model, data, split, count, out);
  }
  if (kind == HeadKind::spans) {
    require(data.shape() == DataShape::question, "rows of context+question+answers");
    return evaluate_questions(model, data, split, count, out);
  }
  require(has_labels(data.shape()), "rows of text+label, text+labels, text+value, prompt+label or messages+label");
  shape.ends_with("+labels") ? evaluate_labels(model, data, split, count, out)
                             : evaluate_classes(model, data, split, count, out);
}

}  // namespace hone
