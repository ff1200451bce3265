#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flow/environment.h"

namespace hone {

/// Prompts and references from the rows of one of the run's data sets; the answer ends the episode.
class DatasetSpec : public EnvironmentSpec {
 public:
  std::string data;

  void describe(Fields& f) override;
  std::unique_ptr<Environment> make(const Services& services) const override;
  std::vector<std::string> data_names() const override { return {data}; }
};

}  // namespace hone
