#include "report/samples_jsonl.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <numeric>

#include "base/json.h"

namespace hone {

namespace {

/// The double with the fewest digits that is this float when read back: 0.1, not 0.10000000149011612.
double with_few_digits(float value) {
  if (!std::isfinite(value)) return value;
  const std::string digits = fmt::format("{}", value);
  double result = value;
  std::from_chars(digits.data(), digits.data() + digits.size(), result);
  return result;
}

Json numbers(const std::vector<float>& values) {
  Json::Array array;
  array.reserve(values.size());
  for (const float value : values) array.emplace_back(with_few_digits(value));
  return Json(std::move(array));
}

double sum(const std::vector<float>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

}  // namespace

std::string sample_line(const SampleRow& row) {
  Json line = Json::object();
  line.set("stage", row.stage);
  line.set("step", row.step);
  line.set("split", row.split);
  line.set("prompt", row.prompt);
  line.set("completion", row.completion);
  line.set("finish", row.finish);
  line.set("status", row.status);
  if (row.status != "ok") line.set("note", row.note);
  line.set("reward", row.reward);
  Json parts = Json::object();
  for (const auto& [name, value] : row.parts) parts.set(name, value);
  line.set("parts", std::move(parts));
  line.set("length", static_cast<std::int64_t>(row.tokens.size()));
  line.set("logprob", sum(row.logprobs));
  if (!row.advantages.empty()) {
    line.set("advantage", sum(row.advantages) / static_cast<double>(row.advantages.size()));
  }
  line.set("tokens", Json(Json::Array(row.tokens.begin(), row.tokens.end())));
  line.set("logprobs", numbers(row.logprobs));
  if (!row.advantages.empty()) line.set("advantages", numbers(row.advantages));
  return line.dump();
}

void SamplesJsonl::sample(const SampleRow& row) { file_.append(sample_line(row) + "\n"); }

}  // namespace hone
