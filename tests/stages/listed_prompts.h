#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flow/environment.h"
#include "io/line_reader.h"

namespace hone::test {

/// The prompts of a record (rollout/record.h), a prompt a line.
class ListedPrompts : public Environment {
 public:
  explicit ListedPrompts(const std::filesystem::path& record) {
    LineReader lines(record, CharacterEncoding::utf8);
    for (std::string line; lines.next(line);)
      texts_.push_back(Json::parse(line, lines.source()).at("prompt").as_string());
  }
  std::uint64_t size(Split) const override { return texts_.size(); }
  Prompt prompt(Split split, std::uint64_t index) const override {
    return {.id = prompt_id(split, index), .split = split, .text = texts_[index]};
  }

 private:
  std::vector<std::string> texts_;
};

class ListedPromptsSpec : public EnvironmentSpec {
 public:
  explicit ListedPromptsSpec(std::filesystem::path record) : record_(std::move(record)) { kind = name = "listed"; }
  void describe(Fields&) override {}
  std::unique_ptr<Environment> make(const Services&) const override { return std::make_unique<ListedPrompts>(record_); }

 private:
  std::filesystem::path record_;
};

}  // namespace hone::test
