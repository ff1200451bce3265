#pragma once

#include <ATen/Parallel.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flow/environment.h"
#include "policies/llama.h"
#include "stages/run.h"
#include "support/doctest_torch.h"
#include "support/error_of.h"
#include "support/scratch.h"
#include "text/byte_tokenizer.h"

namespace hone::test {

/// Keeps the rows that a run reports.
class RecordedRows : public ReportSink {
 public:
  explicit RecordedRows(std::vector<MetricRow>& rows) : rows_(rows) {}
  void write(const MetricRow& row) override { rows_.push_back(row); }

 private:
  std::vector<MetricRow>& rows_;
};

/// A run of a model that learns in seconds: bytes, two layers of 32.
class TinyRun {
 public:
  explicit TinyRun(kernels::Compute compute = kernels::Compute::float32, std::uint64_t seed = 7)
      : console_(
            ConsoleOptions{.write = [this](std::string_view bytes) { text += bytes; }, .now = [] { return 0.0; }}) {
    at::set_num_threads(1);  // as the program has it
    std::vector<std::unique_ptr<ReportSink>> sinks;
    sinks.push_back(std::make_unique<RecordedRows>(rows));
    report_ = std::make_unique<RunReport>(console_, std::move(sinks));
    run.seed = seed;
    run.directory = scratch.path() / "run";
    std::filesystem::create_directories(run.directory);
    run.compute = compute;
    run.catalogs = &catalogs_;
    run.report = report_.get();
    run.tokenizer = byte_tokenizer();
    auto spec = std::make_unique<LlamaSpec>();
    spec->vocabulary_size = run.tokenizer->vocab_size();
    spec->hidden = 32;
    spec->layers = 2;
    spec->heads = 2;
    spec->context = 48;
    spec->init_std = 0.1;
    run.model = std::make_unique<Model>(*spec, HeadPlan{}, compute, true);
    run.policy = std::move(spec);
    run.model->store.initialize(seed);
    run.model->store.refresh();
  }

  /// A data set of these lines.
  void add_data(const std::string& name, const std::string& file, const std::string& lines, double held_out = 0) {
    DataConfig config;
    config.path = scratch.file(file, lines).string();
    config.held_out = held_out;
    run.data[name] = config;
  }

  /// The values of a metric in the order in which they were reported.
  std::vector<double> series(std::string_view metric) const {
    std::vector<double> values;
    for (const MetricRow& row : rows) {
      for (const auto& [name, value] : row.values) {
        if (name == metric) values.push_back(value);
      }
    }
    return values;
  }

  at::Tensor weights() const { return run.model->store.weights().clone(); }

  Scratch scratch;
  std::string text;  ///< of the console
  std::vector<MetricRow> rows;
  Run run;

 private:
  Catalogs catalogs_;
  Console console_;
  std::unique_ptr<RunReport> report_;
};

/// "ab>" is answered by "a": pairs of letters, a fifth of them held out.
class FirstLetter : public Environment {
 public:
  explicit FirstLetter(bool shows) : shows_(shows) {
    for (char a = 'a'; a < 'g'; ++a) {
      for (char b = 'a'; b < 'g'; ++b) ((a + b) % 5 == 0 ? held_out_ : train_).push_back({a, b});
    }
  }
  std::uint64_t size(Split split) const override { return of(split).size(); }
  Prompt prompt(Split split, std::uint64_t index) const override {
    const std::string& letters = of(split)[index];
    Json reference = Json::object();
    reference.set("answer", letters.substr(0, 1));
    return {.id = prompt_id(split, index), .split = split, .text = letters + ">", .reference = reference};
  }
  std::optional<std::string> demonstration(const Prompt& prompt) const override {
    if (!shows_) return std::nullopt;
    return prompt.reference.at("answer").as_string();
  }

 private:
  const std::vector<std::string>& of(Split split) const { return split == Split::train ? train_ : held_out_; }
  bool shows_;
  std::vector<std::string> train_, held_out_;
};

class FirstLetterSpec : public EnvironmentSpec {
 public:
  explicit FirstLetterSpec(bool shows = true) : shows_(shows) { kind = name = "first_letter"; }
  void describe(Fields&) override {}
  std::unique_ptr<Environment> make(const Services&) const override { return std::make_unique<FirstLetter>(shows_); }

 private:
  bool shows_;
};

}  // namespace hone::test
