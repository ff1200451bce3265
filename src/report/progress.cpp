#include "report/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/format.h"
#include "base/utf8.h"

namespace hone {

namespace {

/// Of what a stage measures, what tells most of how it is doing; the first few that exist are shown.
constexpr std::array<std::string_view, 12> by_importance{"reward",    "accuracy",      "loss",
                                                         "kl",        "entropy",       "completions/mean_length",
                                                         "margin",    "value_loss",    "explained_variance",
                                                         "grad_norm", "learning_rate", "tokens_per_second"};
constexpr int most_shown = 6;

std::string bar(const Progress& progress, std::size_t columns) {
  const double share = std::clamp(static_cast<double>(progress.step) / static_cast<double>(progress.total), 0.0, 1.0);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(columns));
  std::string text;
  for (std::size_t i = 0; i < columns; ++i) text += i < full ? "█" : "░";
  return text;
}

double steps_per_second(const Progress& progress) {
  return static_cast<double>(progress.step - progress.first_step) / progress.seconds;
}

bool has_rate(const Progress& progress) { return progress.step > progress.first_step && progress.seconds > 0; }

}  // namespace

double seconds_left(const Progress& progress) {
  if (!has_rate(progress) || progress.total <= 0) return -1;
  return static_cast<double>(std::max<std::int64_t>(0, progress.total - progress.step)) / steps_per_second(progress);
}

std::string format_metric(double value) { return fmt::format("{:.4g}", value); }

std::string main_metrics(const MetricValues& values) {
  std::string text;
  int shown = 0;
  for (const std::string_view name : by_importance) {
    const auto found = std::ranges::find(values, name, &MetricValues::value_type::first);
    if (found == values.end() || shown == most_shown) continue;
    text += fmt::format("{}{} {}", shown++ == 0 ? "" : "  ", name, format_metric(found->second));
  }
  return text;
}

std::string progress_line(const Progress& progress, std::size_t bar_columns, std::size_t width) {
  std::string line = progress.stage;
  if (progress.total > 0) {
    if (bar_columns > 0) line += "  " + bar(progress, bar_columns);
    line += fmt::format("  {}/{}", progress.step, progress.total);
  } else {
    line += fmt::format("  step {}", progress.step);
  }
  if (has_rate(progress)) line += "  " + format_rate(steps_per_second(progress), "steps");
  const double left = seconds_left(progress);
  if (progress.finished) {
    line += fmt::format("  in {}", format_duration(progress.seconds));
  } else if (left >= 0) {
    line += fmt::format("  {} left", format_duration(left));
  }
  if (const std::string metrics = main_metrics(progress.metrics); !metrics.empty()) line += "  " + metrics;
  return cut(line, width);
}

std::string cut(std::string_view text, std::size_t columns) {
  if (utf8_length(text) <= columns) return std::string(text);
  if (columns == 0) return "";
  std::size_t end = 0;
  for (std::size_t kept = 0; kept + 1 < columns; ++kept) {
    ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
  }
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace hone
