#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "config/outline.h"

namespace hone {

/// One field as people read about it. Fields of sections have dotted keys; `<name>` and `<i>` stand for what the file
/// chooses.
struct ReferenceRow {
  std::string key;
  std::string type;      ///< "integer", "list of text", "sum | mean", "list of rewards"
  std::string fallback;  ///< the default as YAML, "required", or ""
  std::string bounds;    ///< "≥ 1" or ""
  std::string doc;
};
std::vector<ReferenceRow> reference_rows(const std::vector<Entry>& entries, std::string_view prefix = "");

/// docs/config.md: how files are written, a section for each section of the root, one for each kind of component.
std::string reference_markdown(const Catalogs& catalogs, const Fields::Body& describe);

}  // namespace hone
