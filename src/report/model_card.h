#pragma once

#include <string>
#include <utility>
#include <vector>

namespace hone {

/// What a model's page says of it. Empty texts and lists are left out.
struct ModelCard {
  struct Result {
    std::string metric;   ///< "accuracy"
    std::string dataset;  ///< what it was measured on
    double value = 0;
  };

  std::string name;
  std::string license;       ///< an identifier of the hub: "apache-2.0"
  std::string base_model;    ///< name or path
  std::string pipeline_tag;  ///< "text-generation"
  std::vector<std::string> languages;
  std::vector<std::string> datasets;
  std::vector<std::string> tags;
  std::string description;  ///< Markdown, first under the title
  std::vector<Result> results;
  std::vector<std::pair<std::string, std::string>> training;  ///< rows of a table: "Steps", "1,000"
  bool adapter = false;  ///< the directory holds an adapter of the base, not a whole model
};

/// The text of README.md as model hubs read it: a YAML head, then Markdown. Names are quoted, so that none can be
/// read as something else.
std::string model_card_text(const ModelCard& card);

}  // namespace hone
