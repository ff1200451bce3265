#include <cstdio>
#include <iostream>

#include "app/commands.h"
#include "app/predict_tasks.h"
#include "base/error.h"
#include "base/format.h"
#include "report/console.h"
#include "report/progress.h"
#include "stages/stopwatch.h"

namespace hone {

namespace {

const TaskRow& task_named(const std::string& name) {
  std::vector<std::string> names;
  for (const TaskRow& row : predict_tasks()) {
    if (row.name == name) return row;
    names.emplace_back(row.name);
  }
  fail(ErrorKind::usage, "there is no task '{}'{}", name, suggestion(name, names));
}

/// A line that begins with { is JSON, any other is a text.
Json input_of(const std::string& line, std::int64_t number) {
  return line.starts_with("{") ? Json::parse(line, fmt::format("line {}", number)) : Json(line);
}

/// "POSITIVE 0.9991", one result a line; without labels the JSON itself.
void print_plain(const Json& result) {
  if (!result.is_array() || result.as_array().empty() || !result.as_array()[0].is_object()) {
    std::puts(result.dump().c_str());
    return;
  }
  for (const Json& item : result.as_array()) {
    std::string line;
    for (const auto& [key, value] : item.as_object()) {
      const std::string text = value.is_string() ? value.as_string() : value.is_number() ? format_metric(value.as_number()) : value.dump();
      line += (line.empty() ? "" : "\t") + text;
    }
    std::puts(line.c_str());
  }
}

}  // namespace

void command_predict(const PredictCommand& command) {
  const TaskRow& row = task_named(command.task);
  const TaskModel model(command.model);
  const PredictTask task = row.make(model, command.options);
  Console console(ConsoleOptions::standard_error());
  Progress progress{.stage = command.task};
  const Stopwatch watch;
  for (std::string line; std::getline(std::cin, line);) {
    ++progress.step;
    try {
      const Json result = task(input_of(line, progress.step));
      command.json ? static_cast<void>(std::puts(result.dump().c_str())) : print_plain(result);
    } catch (const Error& error) {
      fail(error.kind(), "line {}: {} (expected {})", progress.step, error.what(), row.input);
    }
    progress.seconds = watch.seconds();
    if (console.due()) console.live(progress_line(progress, 0, console.options().width));
  }
}

}  // namespace hone
