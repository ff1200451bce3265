#include "io/table.h"

#include "base/error.h"
#include "base/format.h"
#include "io/table_formats.h"

#include <array>

namespace hone {
namespace {

namespace fs = std::filesystem;

TableFormat format_of(const fs::path& path) {
  struct Rule {
    std::string_view extension;
    TableFormat format;
  };
  constexpr std::array<Rule, 6> rules = {{{".jsonl", TableFormat::jsonl},
                                          {".ndjson", TableFormat::jsonl},
                                          {".json", TableFormat::json},
                                          {".csv", TableFormat::csv},
                                          {".tsv", TableFormat::tsv},
                                          {".txt", TableFormat::text}}};
  const fs::path name = path.extension() == ".gz" ? path.stem() : path;
  for (const Rule& rule : rules) {
    if (name.extension() == rule.extension) return rule.format;
  }
  fail(ErrorKind::config,
       "{}: its name does not tell the format (.jsonl, .ndjson, .json, .csv, .tsv, .txt, each with or without .gz); "
       "say `format:` jsonl, json, csv, tsv, text or label_text",
       path.string());
}

}  // namespace

std::optional<Row> TableReader::next() {
  std::optional<Row> row = read();
  if (row) row->number = ++rows_;
  if (!row && rows_ == 0) fail(ErrorKind::data, "{}: the file has no rows", source_);
  return row;
}

std::unique_ptr<TableReader> open_table(const fs::path& path, const TableOptions& options) {
  const TableFormat format = options.format == TableFormat::by_extension ? format_of(path) : options.format;
  if (!options.column_names.empty() && format != TableFormat::csv && format != TableFormat::tsv) {
    fail(ErrorKind::config, "{}: column names can be given for csv and tsv only; the rows of this format name theirs",
         path.string());
  }
  LineReader lines(path, options.encoding);
  switch (format) {
    case TableFormat::jsonl: return open_jsonl(std::move(lines));
    case TableFormat::json: return open_json(std::move(lines));
    case TableFormat::csv: return open_csv(std::move(lines), options.column_names);
    case TableFormat::tsv: return open_tsv(std::move(lines), options.column_names);
    case TableFormat::text: return open_text(std::move(lines));
    case TableFormat::label_text: return open_label_text(std::move(lines));
    case TableFormat::by_extension: break;
  }
  HONE_ASSERT(false && "format is known here");
  return nullptr;
}

void require_columns(const Row& row, std::span<const std::string> columns, const std::string& source) {
  for (const std::string& column : columns) {
    if (row.value.find(column) != nullptr) continue;
    std::vector<std::string> present;
    for (const auto& [name, value] : row.value.as_object()) present.push_back(name);
    const std::string nearest = nearest_word(column, present);
    std::string list;
    for (const std::string& name : present) list += (list.empty() ? "`" : ", `") + name + "`";
    fail(ErrorKind::data, "{}:{}: no column `{}`; the row has {}{}", source, row.line, column,
         list.empty() ? "no columns" : list, nearest.empty() ? "" : "; did you mean `" + nearest + "`?");
  }
}

}  // namespace hone
