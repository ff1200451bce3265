#include "report/metrics.h"

#include <doctest/doctest.h>

#include <limits>

#include "base/json.h"
#include "report/metrics_jsonl.h"
#include "tests/support/error_of.h"
#include "tests/support/scratch.h"

namespace hone {

TEST_CASE("report: metrics are weighted means in the order of their first add") {
  Metrics metrics;
  metrics.add("loss", 1.0, 1.0);
  metrics.add("kl", 5.0, 0.0);
  metrics.add({{"loss", 4.0}, {"reward", 0.5}}, 2.0);
  metrics.set("learning_rate", 1e-3);
  metrics.set("learning_rate", 2e-3);
  CHECK(metrics.value("loss") == 3.0);
  CHECK_FALSE(metrics.value("kl").has_value());
  CHECK_FALSE(metrics.value("other").has_value());
  CHECK(metrics.values() == MetricValues{{"loss", 3.0}, {"reward", 0.5}, {"learning_rate", 2e-3}});
  metrics.add("kl", 7.0);
  CHECK(metrics.values()[1] == MetricValues::value_type{"kl", 7.0});
  metrics.clear();
  CHECK(metrics.values().empty());
}

TEST_CASE("report: a value without weight does not spoil a mean, a NaN shows") {
  Metrics metrics;
  metrics.add("loss", std::numeric_limits<double>::quiet_NaN(), 0.0);
  metrics.add("loss", 2.0);
  CHECK(metrics.value("loss") == 2.0);
  metrics.add("loss", std::numeric_limits<double>::quiet_NaN());
  CHECK(std::isnan(metrics.value("loss").value()));
}

TEST_CASE("report: metrics.jsonl holds one object a row") {
  const test::Scratch scratch;
  const auto path = scratch.path() / "metrics.jsonl";
  {
    MetricsJsonl sink(path);
    sink.write({.stage = "sft", .step = 1, .seconds = 0.5, .values = {{"loss", 2.25}}});
    sink.write(
        {.stage = "sft", .step = 2, .seconds = 1, .values = {{"loss", std::numeric_limits<double>::infinity()}}});
  }
  MetricsJsonl(path).write({.stage = "ppo", .step = 1, .seconds = 0, .values = {}});
  const std::string text = test::contents_of(path);
  CHECK(text ==
        "{\"stage\":\"sft\",\"step\":1,\"seconds\":0.5,\"loss\":2.25}\n"
        "{\"stage\":\"sft\",\"step\":2,\"seconds\":1.0,\"loss\":null}\n"
        "{\"stage\":\"ppo\",\"step\":1,\"seconds\":0.0}\n");
  CHECK(Json::parse(text.substr(0, text.find('\n')), "row").at("loss").as_number() == 2.25);
}

TEST_CASE("report: metrics that cannot be written are an error with the path") {
  HONE_CHECK_ERROR(io, MetricsJsonl("/nowhere/at/all/metrics.jsonl"), "/nowhere/at/all/metrics.jsonl");
}

}  // namespace hone
