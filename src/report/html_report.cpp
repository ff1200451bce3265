#include "report/html_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "base/format.h"
#include "base/log.h"
#include "io/file.h"
#include "report/page/assets.h"
#include "report/page/curves.h"
#include "report/page/heat_map.h"
#include "report/page/samples_view.h"
#include "report/page/tables.h"
#include "report/page/text.h"

namespace hone {

namespace {

using page::escaped;

constexpr std::size_t most_points = 400;    // of one curve
constexpr std::size_t all_points = 50'000;  // of all curves of the page, about 30 bytes each
constexpr std::size_t least_points = 24;
constexpr std::size_t most_config = 400'000;  // characters of config.yaml

/// So many points a curve that all of them stay within bounds.
std::size_t points_each(const RunRecord& run) {
  std::size_t series = 1;
  for (const StageRecord& stage : run.stages) series += stage.series.size();
  return std::clamp(all_points / series, least_points, most_points);
}

std::string state_html(const RunRecord& run) {
  if (run.finished()) return "<span class=\"state finished\">finished</span>";
  if (run.running) return "<span class=\"state running\">running</span>";
  const auto done = std::ranges::count_if(run.stages, [](const StageRecord& stage) { return stage.finished; });
  if (run.stages.empty()) return "<span class=\"state\">no stage yet</span>";
  return fmt::format("<span class=\"state\">{} of {} stages finished</span>", done, run.stages.size());
}

std::string header_html(const RunRecord& run) {
  std::string out =
      fmt::format("<header>\n<div class=\"headline\"><h1>{}</h1>{}</div>\n<nav>", escaped(run.name), state_html(run));
  for (std::size_t i = 0; i < run.stages.size(); ++i) {
    out += fmt::format("<a href=\"#{}\">{}</a>", page::anchor(run.stages[i].name, i), escaped(run.stages[i].name));
  }
  return out + "<a href=\"#configuration\">Configuration</a><a href=\"#machine\">Machine</a></nav>\n</header>\n";
}

std::string notes_html(const RunRecord& run) {
  if (run.notes.empty()) return "";
  std::string out = "<div class=\"notes\">";
  for (const std::string& note : run.notes) out += fmt::format("<p>{}</p>", page::escaped_part(note, 400));
  return out + "</div>\n";
}

std::string stage_html(const StageRecord& stage, std::size_t number, std::size_t points) {
  std::string facts = fmt::format("step {}, {}", format_count(stage.steps), format_duration(stage.seconds));
  if (!stage.finished) facts += ", not finished";
  std::string out = fmt::format("<section id=\"{}\">\n<h2>{} <span class=\"dim\">{}</span></h2>\n",
                                page::anchor(stage.name, number), escaped(stage.name), facts);
  if (stage.series.empty() && !stage.has_samples())
    return out + "<p class=\"dim\">Nothing was recorded.</p>\n</section>\n";
  out += page::curves_html(stage, points);
  out += page::before_after_html(stage);
  out += page::extremes_html(stage);
  out += page::heat_maps_html(stage);
  return out + "</section>\n";
}

std::string configuration_html(const RunRecord& run) {
  std::string out = "<section id=\"configuration\">\n<h2>Configuration</h2>\n";
  if (run.config.empty()) return out + "<p class=\"dim\">There is no config.yaml.</p>\n</section>\n";
  return out + fmt::format("<details><summary>config.yaml</summary>\n<pre>{}</pre></details>\n</section>\n",
                           page::escaped_part(run.config, most_config));
}

std::string machine_html(const RunRecord& run) {
  std::string out = "<section id=\"machine\">\n<h2>Machine</h2>\n";
  if (run.environment.is_null()) return out + "<p class=\"dim\">There is no environment.json.</p>\n</section>\n";
  return out + page::json_table_html(run.environment) + "</section>\n";
}

}  // namespace

std::string report_html(const RunRecord& run) {
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src "
      "'unsafe-inline'; img-src data:\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>{} – hone</title>\n<style>{}</style>\n</head>\n<body>\n",
      escaped(run.name), page::style());
  out += header_html(run) + "<main>\n";
  out += page::stage_table_html(summaries_of(run));
  out += notes_html(run);
  const std::size_t points = points_each(run);
  for (std::size_t i = 0; i < run.stages.size(); ++i) out += stage_html(run.stages[i], i, points);
  out += configuration_html(run) + machine_html(run) + "</main>\n";
  out += fmt::format("<footer>Made by hone from the files of the run directory{}.</footer>\n",
                     run.last_row.empty() ? "" : "; metrics.jsonl was last written on " + run.last_row);
  return out + fmt::format("<script>{}</script>\n</body>\n</html>\n", page::script());
}

std::filesystem::path write_report(const std::filesystem::path& run_directory) {
  const std::filesystem::path path = run_directory / "report.html";
  write_file_atomic(path, report_html(read_run(run_directory)));
  return path;
}

void refresh_report(const std::filesystem::path& run_directory) {
  try {
    write_report(run_directory);
  } catch (const std::exception& error) {
    log_warn("report.html: {}", error.what());
  }
}

}  // namespace hone
