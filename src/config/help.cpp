#include "config/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "config/reference.h"

namespace hone {

namespace {

std::string row_text(const ReferenceRow& row) {
  std::string text = fmt::format("  {}: {}", row.key, row.type);
  if (!row.bounds.empty()) text += " " + row.bounds;
  if (row.fallback == "required") {
    text += " (required)";
  } else if (!row.fallback.empty()) {
    text += fmt::format(" (default {})", row.fallback);
  }
  return text + fmt::format("\n      {}\n", row.doc);
}

std::string fields_text(const std::vector<Entry>& entries) {
  std::string text;
  for (const ReferenceRow& row : reference_rows(entries)) text += row_text(row);
  return text;
}

std::string kinds_text(const Catalog& catalog) {
  std::string text = fmt::format("kinds of {}:\n", catalog.noun);
  for (const Catalog::Row& row : catalog.rows) text += fmt::format("  {}: {}\n", row.kind, row.doc);
  return text;
}

/// Walks a dotted path through the outline.
class Walk {
 public:
  Walk(const Catalogs& catalogs, std::vector<Entry> root) : catalogs_(catalogs), fields_(std::move(root)) {
    text_ = fields_text(fields_);
  }

  void step(const std::string& part) {
    if (catalog_ != nullptr) {
      enter_kind(part);
    } else {
      enter_key(part);
    }
    path_ = join_path(path_, part);
  }

  std::string text() const { return path_.empty() ? text_ : fmt::format("{}: {}", path_, text_); }

 private:
  [[noreturn]] void unknown(const std::string& part, const std::vector<std::string>& known) const {
    fail(ErrorKind::usage, "help: no key '{}'{}", join_path(path_, part), suggestion(part, known));
  }

  void enter_kind(const std::string& kind) {
    const Catalog::Row* row = catalog_->find(kind);
    if (row == nullptr) {
      std::vector<std::string> kinds;
      for (const Catalog::Row& one : catalog_->rows) kinds.push_back(one.kind);
      unknown(kind, kinds);
    }
    fields_ = outline(catalogs_, *row);
    text_ = row->doc + "\n" + fields_text(fields_);
    catalog_ = nullptr;
  }

  void enter_key(const std::string& key) {
    const auto place = std::find_if(fields_.begin(), fields_.end(), [&](const Entry& one) { return one.key == key; });
    if (place != fields_.end()) {
      enter(Entry(*place));
    } else if (free_key_) {
      free_key_ = false;  // a name or an index: what is inside stays in view
    } else if (!path_.empty() || !enter_noun(key)) {
      std::vector<std::string> keys;
      for (const Entry& entry : fields_) keys.push_back(entry.key);
      unknown(key, keys);
    }
  }

  bool enter_noun(const std::string& noun) {
    for (const auto& [type, catalog] : catalogs_.rows()) {
      if (catalog.noun != noun) continue;
      catalog_ = &catalog;
      text_ = kinds_text(catalog);
      return true;
    }
    return false;
  }

  void enter(const Entry& entry) {
    const auto row = reference_rows({entry}).empty() ? ReferenceRow{} : reference_rows({entry}).front();
    free_key_ = entry.type == Entry::Type::sections || entry.type == Entry::Type::section_map;
    catalog_ = entry.catalog;
    if (entry.is_value()) {
      text_ = "\n" + row_text(row);
    } else if (entry.catalog != nullptr) {
      text_ = fmt::format("{}\n{}, {}", entry.doc, row.type, kinds_text(*entry.catalog));
    } else {
      text_ = entry.doc + "\n" + fields_text(entry.fields);
    }
    fields_ = entry.fields;
  }

  const Catalogs& catalogs_;
  std::vector<Entry> fields_;
  const Catalog* catalog_ = nullptr;
  bool free_key_ = false;
  std::string path_;
  std::string text_;
};

}  // namespace

std::string help_text(const Catalogs& catalogs, const Fields::Body& describe, std::string_view path) {
  Walk walk(catalogs, outline(catalogs, describe));
  while (!path.empty()) {
    const auto dot = path.find('.');
    walk.step(std::string(path.substr(0, dot)));
    path = dot == path.npos ? std::string_view() : path.substr(dot + 1);
  }
  return walk.text();
}

}  // namespace hone
