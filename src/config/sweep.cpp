#include "config/sweep.h"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

#include "base/random.h"
#include "config/load.h"
#include "config/scalars.h"
#include "config/writer.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

/// Reads a sweep's file. Nothing in it has the types of a run's configuration: values are passed on as they stand.
class Reader {
 public:
  explicit Reader(const fs::path& file) : file_(load_file(file, {})) {}

  SweepConfig read(const fs::path& place) {
    const Node& root = file_.root;
    only(root, "", {"run", "directory", "method", "trials", "seed", "metric", "parameters", "resource"});
    config_.name = place.stem().string();
    config_.directory = text(root, "", "directory").value_or("sweeps/" + config_.name);
    if (const auto run = text(root, "", "run")) config_.run = place.parent_path() / *run;
    else problem(root, "run", "is missing: the file of the run");
    read_method(root);
    config_.seed = whole(root, "", "seed", 0).value_or(1);
    read_metric(root.find("metric"), root);
    read_parameters(root.find("parameters"), root);
    read_resource(root.find("resource"), root);
    file_.problems.throw_if_any();
    return config_;
  }

 private:
  void problem(const Node& node, const std::string& path, std::string_view message) {
    file_.problems.add(node.mark, path, message);
  }

  void only(const Node& map, const std::string& path, std::initializer_list<std::string_view> keys) {
    if (!map.is_map()) return problem(map, path, "expected a map, got " + map.found());
    std::string known;
    for (const std::string_view key : keys) known += (known.empty() ? "" : ", ") + std::string(key);
    for (const Node::Entry& entry : map.entries) {
      if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
      file_.problems.add(entry.key_mark, join_path(path, entry.key), "unknown key; known: " + known);
    }
  }

  std::optional<std::string> text(const Node& map, const std::string& path, std::string_view key) {
    const Node* node = map.find(key);
    if (node == nullptr) return std::nullopt;
    if (node->is_scalar()) return node->text;
    problem(*node, join_path(path, key), "expected text, got " + node->found());
    return std::nullopt;
  }

  std::optional<std::int64_t> whole(const Node& map, const std::string& path, std::string_view key, std::int64_t least) {
    const Node* node = map.find(key);
    if (node == nullptr) return std::nullopt;
    const std::optional<std::int64_t> value = node->is_scalar() ? parse_integer(node->text) : std::nullopt;
    if (value && *value >= least) return value;
    problem(*node, join_path(path, key), fmt::format("expected an integer ≥ {}, got {}", least, node->found()));
    return std::nullopt;
  }

  std::optional<double> number(const Node& map, const std::string& path, std::string_view key) {
    const Node* node = map.find(key);
    if (node == nullptr) return problem(map, join_path(path, key), "is missing"), std::nullopt;
    const std::optional<double> value = node->is_scalar() ? parse_number(node->text) : std::nullopt;
    if (!value) problem(*node, join_path(path, key), "expected a number, got " + node->found());
    return value;
  }

  /// The index of the word at this key.
  std::size_t choice(const Node& map, const std::string& path, std::string_view key, std::vector<std::string> words) {
    const Node* node = map.find(key);
    if (node == nullptr) return 0;
    const auto found = std::find(words.begin(), words.end(), node->text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    problem(*node, join_path(path, key), fmt::format("expected one of {}, got {}", fmt::join(words, ", "), node->found()));
    return 0;
  }

  void read_method(const Node& root) {
    config_.method = static_cast<SweepMethod>(choice(root, "", "method", {"grid", "random", "halving"}));
    const std::optional<std::int64_t> trials = whole(root, "", "trials", 1);
    config_.trials = trials.value_or(0);
    const bool draws = config_.method != SweepMethod::grid;
    if (draws && root.find("trials") == nullptr) problem(root, "trials", "is missing: how many draws to try");
    if (!draws && trials) problem(*root.find("trials"), "trials", "goes with random and halving; a grid tries every combination");
  }

  void read_metric(const Node* node, const Node& root) {
    if (node == nullptr) return problem(root, "metric", "is missing: {stage, name, goal}");
    only(*node, "metric", {"stage", "name", "goal"});
    config_.stage = text(*node, "metric", "stage").value_or("");
    config_.metric = text(*node, "metric", "name").value_or("");
    if (config_.stage.empty()) problem(*node, "metric.stage", "is missing: the stage that reports it");
    if (config_.metric.empty()) problem(*node, "metric.name", "is missing: a metric of metrics.jsonl, like eval/loss");
    if (node->find("goal") == nullptr) problem(*node, "metric.goal", "is missing: max or min");
    config_.maximize = choice(*node, "metric", "goal", {"max", "min"}) == 0;
  }

  void read_parameters(const Node* node, const Node& root) {
    if (node == nullptr || !node->is_map() || node->entries.empty()) {
      return problem(node == nullptr ? root : *node, "parameters", "expected a map of keys of the run and their values");
    }
    for (const Node::Entry& entry : node->entries) read_parameter(entry);
  }

  void read_parameter(const Node::Entry& entry) {
    const std::string path = "parameters." + entry.key;
    SweepParameter parameter{.path = entry.key};
    if (entry.value.is_list() && !entry.value.items.empty()) {
      for (const Node& item : entry.value.items) parameter.values.push_back(to_yaml_line(item));
    } else if (entry.value.is_map()) {
      read_range(entry.value, path, parameter);
    } else {
      problem(entry.value, path, "expected a list of values or {low, high, scale, integer}, got " + entry.value.found());
    }
    config_.parameters.push_back(std::move(parameter));
  }

  void read_range(const Node& node, const std::string& path, SweepParameter& parameter) {
    only(node, path, {"low", "high", "scale", "integer"});
    if (config_.method == SweepMethod::grid) problem(node, path, "a grid needs a list of values; ranges go with random and halving");
    const std::optional<double> low = number(node, path, "low");
    const std::optional<double> high = number(node, path, "high");
    parameter.logarithmic = choice(node, path, "scale", {"linear", "log"}) == 1;
    parameter.integer = choice(node, path, "integer", {"false", "true"}) == 1;
    if (!low || !high) return;
    parameter.low = *low;
    parameter.high = *high;
    if (*low >= *high) problem(node, path, fmt::format("low is {}, expected less than high, {}", *low, *high));
    if (parameter.logarithmic && *low <= 0) problem(node, path, "a logarithmic range needs low > 0");
  }

  void read_resource(const Node* node, const Node& root) {
    const bool wanted = config_.method == SweepMethod::halving;
    if (node == nullptr) {
      if (wanted) problem(root, "resource", "is missing: {key, low, high, factor}");
      return;
    }
    if (!wanted) return problem(*node, "resource", "goes with the method halving");
    only(*node, "resource", {"key", "low", "high", "factor"});
    config_.resource = text(*node, "resource", "key").value_or("");
    if (config_.resource.empty()) problem(*node, "resource.key", "is missing: the key of the run that it raises, like stages.sft.steps");
    for (const char* key : {"low", "high"}) {
      if (node->find(key) == nullptr) problem(*node, join_path("resource", key), "is missing");
    }
    config_.resource_low = whole(*node, "resource", "low", 1).value_or(1);
    config_.resource_high = whole(*node, "resource", "high", 1).value_or(config_.resource_low);
    config_.factor = whole(*node, "resource", "factor", 2).value_or(3);
    if (config_.resource_low > config_.resource_high) problem(*node, "resource.low", "expected at most high");
  }

  LoadedFile file_;
  SweepConfig config_;
};

/// The value of a parameter in draw number `trial`.
std::string drawn(const SweepParameter& parameter, std::int64_t seed, std::uint64_t trial) {
  Random random(stream_key(static_cast<std::uint64_t>(seed), "sweep " + parameter.path), trial);
  if (!parameter.values.empty()) return parameter.values[random.below(parameter.values.size())];
  const auto low = parameter.logarithmic ? std::log(parameter.low) : parameter.low;
  const auto high = parameter.logarithmic ? std::log(parameter.high) : parameter.high;
  const double place = low + (high - low) * random.uniform();
  const double value = std::clamp(parameter.logarithmic ? std::exp(place) : place, parameter.low, parameter.high);
  if (parameter.integer) return std::to_string(std::llround(value));
  return fmt::format("{:.4g}", value);
}

std::vector<SweepPoint> grid(const std::vector<SweepParameter>& parameters) {
  std::vector<SweepPoint> points = {{}};
  for (const SweepParameter& parameter : parameters) {
    std::vector<SweepPoint> longer;
    for (const SweepPoint& point : points) {
      for (const std::string& value : parameter.values) {
        longer.push_back(point);
        longer.back().emplace_back(parameter.path, value);
      }
    }
    points = std::move(longer);
  }
  return points;
}

}  // namespace

SweepConfig load_sweep(const fs::path& file) { return Reader(file).read(file); }

std::vector<SweepPoint> sweep_points(const SweepConfig& config) {
  if (config.method == SweepMethod::grid) return grid(config.parameters);
  std::vector<SweepPoint> points(static_cast<std::size_t>(config.trials));
  for (std::size_t trial = 0; trial < points.size(); ++trial) {
    for (const SweepParameter& parameter : config.parameters) {
      points[trial].emplace_back(parameter.path, drawn(parameter, config.seed, trial));
    }
  }
  return points;
}

std::vector<std::int64_t> sweep_rungs(const SweepConfig& config) {
  std::vector<std::int64_t> rungs;
  for (std::int64_t amount = config.resource_low; amount < config.resource_high; amount *= config.factor) rungs.push_back(amount);
  rungs.push_back(config.resource_high);
  return rungs;
}

std::vector<std::size_t> best_trials(const std::vector<std::optional<double>>& values, std::size_t keep, bool maximize) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] && std::isfinite(*values[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return maximize ? *values[a] > *values[b] : *values[a] < *values[b];
  });
  if (order.size() > keep) order.resize(keep);
  return order;
}

}  // namespace hone
