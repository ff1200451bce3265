#include "report/page/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "report/page/axis.h"
#include "report/page/text.h"
#include "report/page/thinning.h"

namespace hone::page {

namespace {

constexpr double width = 370, height = 196;                      // of the drawing
constexpr double left = 52, right = 354, top = 8, bottom = 172;  // of the plot in it
constexpr std::size_t many = 100;                                // points from which a running mean may be drawn
constexpr std::size_t most_dots = 50;                            // evaluations shown as points

struct Frame {
  Axis x;
  Axis y;
  double across(double step) const { return left + (right - left) * x.place(step); }
  double down(double value) const { return bottom - (bottom - top) * y.place(value); }
};

Frame frame_of(const Chart& chart) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double first = infinity, last = -infinity, low = infinity, high = -infinity;
  for (const MetricSeries* line : chart.lines) {
    if (line->points.empty()) continue;
    first = std::min(first, line->points.front().step);
    last = std::max(last, line->points.back().step);
    for (const MetricPoint& point : line->points) {
      if (!std::isfinite(point.value)) continue;
      low = std::min(low, point.value);
      high = std::max(high, point.value);
    }
  }
  if (first > last) first = last = 0;
  if (low > high) low = 0, high = 1;
  return {make_axis(first, last, 6, true), make_value_axis(low, high, 5)};
}

/// A coordinate of the drawing, to a tenth.
std::string place(double value) {
  std::string text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

void append_grid(std::string& out, const Frame& frame) {
  out += "<path class=\"grid\" d=\"";
  for (const double tick : frame.y.ticks) out += fmt::format("M{} {}H{}", left, place(frame.down(tick)), right);
  out += fmt::format("\"/><path class=\"base\" d=\"M{} {}H{}", left, bottom, right);
  for (const double tick : frame.x.ticks) out += fmt::format("M{} {}v4", place(frame.across(tick)), bottom);
  out += "\"/>";
  for (std::size_t i = 0; i < frame.y.ticks.size(); ++i) {
    out += fmt::format("<text class=\"y\" x=\"{}\" y=\"{}\">{}</text>", left - 6,
                       place(frame.down(frame.y.ticks[i]) + 4), frame.y.labels[i]);
  }
  for (std::size_t i = 0; i < frame.x.ticks.size(); ++i) {
    out += fmt::format("<text class=\"x\" x=\"{}\" y=\"{}\">{}</text>", place(frame.across(frame.x.ticks[i])),
                       bottom + 18, frame.x.labels[i]);
  }
}

/// The path of a line; a value without neighbours is drawn as a dot.
std::string path_of(const std::vector<MetricPoint>& points, const Frame& frame) {
  std::string path;
  std::size_t drawn = 0;  // points since the last gap
  for (const MetricPoint& point : points) {
    if (!std::isfinite(point.value)) {
      if (drawn == 1) path += "h0";
      drawn = 0;
      continue;
    }
    fmt::format_to(std::back_inserter(path), "{}{} {}",
                   drawn == 0   ? "M"
                   : drawn == 1 ? "L"
                                : " ",
                   place(frame.across(point.step)), place(frame.down(point.value)));
    ++drawn;
  }
  if (drawn == 1) path += "h0";
  return path;
}

/// Colour of the style for each line: greedy and sampled evaluations have their own on every chart.
std::vector<std::size_t> colours_of(const Chart& chart) {
  constexpr std::size_t trained[] = {0, 3, 4, 5};
  std::vector<std::size_t> colours;
  std::size_t next = 0;
  for (const MetricSeries* line : chart.lines) {
    colours.push_back(line->name.starts_with("eval/")           ? 1
                      : line->name.starts_with("eval_sampled/") ? 2
                                                                : trained[next++ % std::size(trained)]);
  }
  return colours;
}

bool is_evaluation(const MetricSeries& series) { return series.name.starts_with("eval"); }

/// How far the values go up and down in all.
double variation(const std::vector<MetricPoint>& points) {
  double sum = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const double change = std::abs(points[i].value - points[i - 1].value);
    if (std::isfinite(change)) sum += change;
  }
  return sum;
}

/// The running mean of a series that is so noisy that one would not see its course without it; else nothing.
std::vector<MetricPoint> course_of(const MetricSeries& series) {
  if (is_evaluation(series) || series.points.size() <= many) return {};
  const std::size_t window = std::max<std::size_t>(5, series.points.size() / 40);
  std::vector<MetricPoint> means = moving_mean(series.points, window, 120);
  if (variation(series.points) < 2 * variation(means)) means.clear();
  return means;
}

void append_line(std::string& out, const MetricSeries& series, std::size_t colour, const Frame& frame,
                 std::size_t most) {
  const std::vector<MetricPoint> points = thinned(series.points, most);
  const std::vector<MetricPoint> course = course_of(series);
  out += fmt::format("<g class=\"c{}\"><path class=\"{}\" d=\"{}\" data-p=\"", colour, course.empty() ? "line" : "raw",
                     path_of(points, frame));
  for (const MetricPoint& point : points) {
    if (std::isfinite(point.value)) fmt::format_to(std::back_inserter(out), "{:.9g} {:.4g} ", point.step, point.value);
  }
  if (out.ends_with(' ')) out.pop_back();
  out += "\"/>";
  if (!course.empty()) out += fmt::format("<path class=\"line\" d=\"{}\"/>", path_of(course, frame));
  if (is_evaluation(series) && points.size() <= most_dots) {
    for (const MetricPoint& point : points) {
      if (!std::isfinite(point.value)) continue;
      out += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"2.6\"/>", place(frame.across(point.step)),
                         place(frame.down(point.value)));
    }
  }
  out += "</g>";
}

double last_finite(const MetricSeries& series) {
  const auto found = std::find_if(series.points.rbegin(), series.points.rend(),
                                  [](const MetricPoint& point) { return std::isfinite(point.value); });
  return found == series.points.rend() ? std::numeric_limits<double>::quiet_NaN() : found->value;
}

double last_step(const Chart& chart) {
  double last = 0;
  for (const MetricSeries* line : chart.lines)
    last = line->points.empty() ? last : std::max(last, line->points.back().step);
  return last;
}

std::string legend_of(const Chart& chart) {
  const std::vector<std::size_t> colours = colours_of(chart);
  std::string out = "<ul class=\"legend\">";
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    const MetricSeries& line = *chart.lines[i];
    const auto lost = std::ranges::count_if(line.points, [](const MetricPoint& p) { return !std::isfinite(p.value); });
    out += fmt::format("<li class=\"c{}\"><i></i>{} <b>{}</b>", colours[i], escaped_name(line.name),
                       figure(last_finite(line)));
    if (lost > 0) out += fmt::format(" <span class=\"bad\">{} not finite</span>", lost);
    out += "</li>";
  }
  return out + "</ul>";
}

}  // namespace

std::string chart_html(const Chart& chart, std::size_t most_points) {
  const Frame frame = frame_of(chart);
  std::string out = fmt::format(
      "<figure class=\"chart\"><figcaption><h4>{}</h4><output>step {}</output></figcaption>{}"
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{} by step\" data-x=\"{:.9g} {:.9g} {} {}\">",
      escaped_name(chart.title), figure(last_step(chart)), legend_of(chart), width, height, escaped(chart.title),
      frame.x.low, frame.x.high, left, right);
  append_grid(out, frame);
  const std::vector<std::size_t> colours = colours_of(chart);
  for (std::size_t i = chart.lines.size(); i-- > 0;) append_line(out, *chart.lines[i], colours[i], frame, most_points);
  out += fmt::format("<path class=\"cursor\" d=\"M0 {}V{}\"/></svg></figure>\n", top, bottom);
  return out;
}

}  // namespace hone::page
