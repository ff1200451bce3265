#include "envs/dataset.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/conformance/environment_conformance.h"
#include "tests/support/error_of.h"

namespace hone {

namespace {

class FewRows : public PromptSource {
 public:
  explicit FewRows(std::uint64_t train) : train_(train) {}
  std::uint64_t size(Split split) const override { return split == Split::train ? train_ : 2; }
  Prompt prompt(Split split, std::uint64_t index) const override {
    const std::string row = (split == Split::train ? "train " : "held out ") + std::to_string(index);
    return {.id = prompt_id(split, index), .split = split, .text = row, .reference = test::answer(row)};
  }
  std::optional<std::string> demonstration(const Prompt& prompt) const override {
    return prompt.reference.at("answer").as_string();
  }

 private:
  std::uint64_t train_;
};

Services services_with(std::uint64_t train) {
  Services services;
  services.prompts = [train](const std::string& name) -> std::unique_ptr<PromptSource> {
    if (name != "questions") fail(ErrorKind::config, "no data {}", name);
    return std::make_unique<FewRows>(train);
  };
  return services;
}

}  // namespace

TEST_CASE("envs: dataset passes on the rows of the named data") {
  DatasetSpec spec;
  spec.data = "questions";
  test::check_environment(spec, services_with(5));
  const auto environment = spec.make(services_with(5));
  CHECK(environment->prompt(Split::train, 4).text == "train 4");
  CHECK(environment->demonstration(environment->prompt(Split::held_out, 1)) == "held out 1");
}

TEST_CASE("envs: dataset without rows or without the data is refused") {
  DatasetSpec spec;
  spec.name = "quiz";
  spec.data = "questions";
  HONE_CHECK_ERROR(data, spec.make(services_with(0)), "environment quiz", "questions", "no rows");
  spec.data = "other";
  HONE_CHECK_ERROR(config, spec.make(services_with(5)), "no data other");
}

}  // namespace hone
