#include "envs/dataset.h"

#include <optional>
#include <utility>

#include "base/error.h"

namespace hone {

namespace {

class Dataset : public Environment {
 public:
  explicit Dataset(std::unique_ptr<PromptSource> rows) : rows_(std::move(rows)) {}

  bool single_turn() const override { return true; }
  std::uint64_t size(Split split) const override { return rows_->size(split); }
  Prompt prompt(Split split, std::uint64_t index) const override { return rows_->prompt(split, index); }
  std::optional<std::string> demonstration(const Prompt& prompt) const override { return rows_->demonstration(prompt); }

 private:
  std::unique_ptr<PromptSource> rows_;
};

}  // namespace

void DatasetSpec::describe(Fields& f) {
  f.field("data", data, "Name of the entry of `data:` whose rows are the prompts.");
  f.required();
}

std::unique_ptr<Environment> DatasetSpec::make(const Services& services) const {
  auto rows = services.prompts(data);
  if (rows->size(Split::train) == 0) {
    fail(ErrorKind::data, "environment {}: data {} has no rows to train on; check its file and its split", name, data);
  }
  return std::make_unique<Dataset>(std::move(rows));
}

}  // namespace hone
