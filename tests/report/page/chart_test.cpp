#include "report/page/chart.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "report/page/curves.h"

namespace hone::page {

namespace {

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

MetricSeries series(std::string name, std::vector<MetricPoint> points) {
  return {.name = std::move(name), .points = std::move(points)};
}

StageRecord stage_with(std::initializer_list<const char*> names) {
  StageRecord stage{.name = "ppo"};
  for (const char* name : names) stage.series.push_back(series(name, {{1, 0.5}, {2, 1.0}}));
  return stage;
}

}  // namespace

TEST_CASE("report: a chart draws its series, marks evaluations and names the last values") {
  const MetricSeries train = series("reward", {{1, 0.25}, {2, 0.5}, {3, 0.75}});
  const MetricSeries greedy = series("eval/reward", {{0, 0.0}, {3, 0.875}});
  const std::string html = chart_html({.title = "Reward <b>", .lines = {&train, &greedy}}, 400);
  CHECK(html.find("Reward &lt;b&gt;") != html.npos);
  CHECK(html.find("<b>0.75</b>") != html.npos);
  CHECK(html.find("eval/<wbr>reward <b>0.875</b>") != html.npos);
  CHECK(html.find("data-p=\"1 0.25 2 0.5 3 0.75\"") != html.npos);
  CHECK(html.find("data-p=\"0 0 3 0.875\"") != html.npos);
  CHECK(count(html, "<circle") == 2);
  CHECK(count(html, "class=\"line\"") == 2);
  CHECK(html.find("nan") == html.npos);
  CHECK(html.find("inf") == html.npos);
}

TEST_CASE("report: a long series without noise is drawn as it is") {
  MetricSeries rate = series("learning_rate", {});
  for (int i = 0; i < 1000; ++i) rate.points.push_back({i * 1.0, std::min(i, 100) * 1e-5 - i * 1e-6});
  const std::string html = chart_html({.title = "Learning rate", .lines = {&rate}}, 400);
  CHECK(count(html, "class=\"raw\"") == 0);
  CHECK(count(html, "class=\"line\"") == 1);
}

TEST_CASE("report: a long noisy series has a running mean and a bounded number of points") {
  MetricSeries loss = series("loss", {});
  for (int i = 0; i < 50'000; ++i) loss.points.push_back({i * 1.0, i % 13 * 0.125});
  const std::string html = chart_html({.title = "Loss", .lines = {&loss}}, 400);
  CHECK(count(html, "class=\"raw\"") == 1);
  CHECK(count(html, "class=\"line\"") == 1);
  CHECK(html.size() < 16'000);
}

TEST_CASE("report: values that are not finite leave gaps and are counted") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const MetricSeries loss = series("loss", {{1, 1.0}, {2, nan}, {3, 2.0}, {4, 3.0}, {5, nan}});
  const std::string html = chart_html({.title = "Loss", .lines = {&loss}}, 400);
  CHECK(html.find("2 not finite") != html.npos);
  CHECK(html.find("<b>3</b>") != html.npos);
  CHECK(html.find("data-p=\"1 1 3 2 4 3\"") != html.npos);
  CHECK(html.find("h0M") != html.npos);  // the value alone is a dot, then a new line begins
  CHECK(html.find("d=\"nan") == html.npos);
  const MetricSeries lost = series("loss", {{1, nan}});
  const std::string nothing = chart_html({.title = "Loss", .lines = {&lost}}, 400);
  CHECK(nothing.find("<b>–</b>") != nothing.npos);
  CHECK(nothing.find("data-p=\"\"") != nothing.npos);
}

TEST_CASE("report: charts come by importance, a metric together with its held-out figures") {
  const StageRecord stage =
      stage_with({"rewards/exact_match/mean", "completions/mean_length", "my_metric", "loss", "eval_sampled/reward",
                  "eval/reward", "eval/exact_match/mean", "reward", "clip_ratio/low_mean", "clip_ratio/high_mean",
                  "eval/perplexity", "value_loss"});
  const StageCharts charts = charts_of(stage);
  std::vector<std::string> titles;
  for (const Chart& chart : charts.main) titles.push_back(chart.title);
  CHECK(titles == std::vector<std::string>{"Loss", "Reward", "Reward part: exact_match", "Held-out: perplexity",
                                           "Clipped share of tokens", "Completion length, tokens", "Value loss"});
  std::vector<std::string> reward;
  for (const MetricSeries* line : charts.main[1].lines) reward.push_back(line->name);
  CHECK(reward == std::vector<std::string>{"reward", "eval/reward", "eval_sampled/reward"});
  CHECK(charts.main[2].lines.size() == 2);
  REQUIRE(charts.more.size() == 1);
  CHECK(charts.more[0].title == "my_metric");
}

TEST_CASE("report: a held-out figure that is always zero is no main chart") {
  StageRecord stage = stage_with({"loss"});
  stage.series.push_back(series("eval/distinct_2", {{0, 0.0}, {10, 0.0}}));
  const StageCharts charts = charts_of(stage);
  CHECK(charts.main.size() == 1);
  CHECK(charts.more.size() == 1);
}

}  // namespace hone::page
