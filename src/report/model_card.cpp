#include "report/model_card.h"

#include "base/json.h"

#include <fmt/format.h>

#include <algorithm>

namespace hone {
namespace {

/// A JSON string is a YAML string in double quotes.
std::string quoted(const std::string& text) { return Json(text).dump(); }

/// Inside a cell of a Markdown table.
std::string cell(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c == '\n' || c == '\r' ? ' ' : c;
  }
  return result;
}

void put(std::string& out, std::string_view key, const std::string& value) {
  if (!value.empty()) out += fmt::format("{}: {}\n", key, quoted(value));
}

void put(std::string& out, std::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  out += fmt::format("{}:\n", key);
  for (const std::string& value : values) out += fmt::format("- {}\n", quoted(value));
}

std::vector<std::string> metrics_of(const ModelCard& card) {
  std::vector<std::string> names;
  for (const ModelCard::Result& result : card.results) {
    if (std::find(names.begin(), names.end(), result.metric) == names.end()) names.push_back(result.metric);
  }
  return names;
}

/// Results as hubs index them: one entry a measurement, with the three names that each must have.
void put_index(std::string& out, const ModelCard& card) {
  if (card.results.empty() || card.pipeline_tag.empty()) return;
  out += fmt::format("model-index:\n- name: {}\n  results:\n", quoted(card.name));
  for (const ModelCard::Result& result : card.results) {
    out += fmt::format("  - task:\n      type: {}\n    dataset:\n      name: {}\n      type: {}\n", quoted(card.pipeline_tag),
                       quoted(result.dataset), quoted(result.dataset));
    out += fmt::format("    metrics:\n    - type: {}\n      value: {}\n", quoted(result.metric), Json(result.value).dump());
  }
}

std::string head(const ModelCard& card) {
  std::string out = "---\n";
  put(out, "license", card.license);
  put(out, "language", card.languages);
  put(out, "base_model", card.base_model);
  put(out, "library_name", card.adapter ? "peft" : "transformers");
  put(out, "pipeline_tag", card.pipeline_tag);
  put(out, "datasets", card.datasets);
  put(out, "metrics", metrics_of(card));
  put(out, "tags", card.tags);
  put_index(out, card);
  return out + "---\n";
}

}  // namespace

std::string model_card_text(const ModelCard& card) {
  std::string out = head(card);
  out += fmt::format("\n# {}\n", cell(card.name));
  if (!card.description.empty()) out += fmt::format("\n{}\n", card.description);
  if (!card.results.empty()) {
    out += "\n## Results\n\n| metric | measured on | value |\n|---|---|---|\n";
    for (const ModelCard::Result& result : card.results) {
      out += fmt::format("| {} | {} | {:.6g} |\n", cell(result.metric), cell(result.dataset), result.value);
    }
  }
  if (!card.training.empty()) {
    out += "\n## Training\n\n| | |\n|---|---|\n";
    for (const auto& [what, value] : card.training) out += fmt::format("| {} | {} |\n", cell(what), cell(value));
  }
  return out;
}

}  // namespace hone
