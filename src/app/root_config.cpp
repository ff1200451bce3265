#include "app/root_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/catalog.h"
#include "base/format.h"
#include "config/load.h"
#include "policies/llama.h"

namespace hone {

void RunSection::describe(Fields& f) {
  f.field("name", name, "Name of the run's directory; by default the file's name.");
  f.check(name.find('/') == std::string::npos && name != "." && name != "..", "name",
          "must be a plain name, without '/': directory says where the run goes");
  f.field("directory", directory, "Where run directories are made.");
  f.field("seed", seed, "Every random number of the run follows from it.", at_least(0));
  f.field("threads", threads, "Threads of the kernels; 0: one for each core.", at_least(0));
  f.field("stop_grace", stop_grace, "Time that SIGTERM and SIGUSR1 leave to save and exit.", at_least(1));
}

void ModelSection::describe(Fields& f) {
  f.field("path", path, "A Hugging Face model directory to start from.");
  f.component("architecture", architecture, "The shape of a model to train from scratch, when there is no path.");
  f.choice("compute", compute, compute_names,
           "Operands of matrix products: bfloat16 (weights stay float32) where the CPU has it, or float32.");
  f.check(path || architecture, "architecture", "is needed when there is no path");
  tuning.describe(f);
}

void TokenizerSection::describe(Fields& f) {
  f.field("path", path, "tokenizer.json or its directory; by default the model's, and without a model one id a byte.");
  f.field("train_on", train_on, "Trains a byte-level BPE on the training rows of this data set instead.");
  f.field("vocabulary", vocabulary, "Number of ids that train_on makes.", between(260, 1 << 24));
  f.field("chat_template", chat_template,
          "The Jinja template that turns messages into text, or a file that holds it; by default that of the tokenizer's "
          "directory.");
  f.check(!path || !train_on, "train_on", "set path or train_on, not both");
}

RootConfig::RootConfig() {
  model.architecture = std::make_unique<LlamaSpec>();
  model.architecture->kind = model.architecture->name = "llama";
}

void RootConfig::describe(Fields& f) {
  f.section("run", run, "The run.");
  f.section("checkpoints", checkpoints, "What a run that is stopped goes on from.");
  f.section("report", report, "What is told beside metrics.");
  f.section("model", model, "The model that the first stage starts from.");
  f.section("tokenizer", tokenizer, "Text to ids and back.");
  f.section("sandbox", sandbox, "How programs that a model wrote are run.");
  f.section_map("data", data, "Data sets by name; stages and environments refer to them.");
  f.components("stages", stages, "What the run does, in order. Each stage starts from the weights of the one before it.");
  f.required();
  check_references(f);
}

void RootConfig::check_references(Fields& f) const {
  std::vector<std::string> names;
  for (const auto& [name, unused] : data) names.push_back(name);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const StageSpec& stage = *stages[i];
    if (stage.from && *stage.from != "initial") {
      const auto earlier = std::find_if(stages.begin(), stages.begin() + static_cast<std::ptrdiff_t>(i),
                                        [&stage](const auto& other) { return other->name == *stage.from; });
      f.check(earlier != stages.begin() + static_cast<std::ptrdiff_t>(i), "stages",
              fmt::format("stage '{}' starts from '{}', which is not the name of an earlier stage", stage.name, *stage.from));
    }
    for (const std::string& name : stage.data_names()) {
      f.check(std::find(names.begin(), names.end(), name) != names.end(), "stages",
              fmt::format("stage '{}' reads the data set '{}', which `data` does not have{}", stage.name, name,
                          suggestion(name, names)));
    }
  }
}

RootConfig load_root(const std::filesystem::path& file, std::span<const std::string> overrides) {
  RootConfig config;
  config.run.name = file.stem().string();
  load_fields(file, overrides, built_in(), [&config](Fields& f) { config.describe(f); });
  return config;
}

}  // namespace hone
