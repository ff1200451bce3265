#pragma once

#include "base/json.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

enum class TableFormat {
  by_extension,  ///< .jsonl .ndjson .json .csv .tsv .txt, each also with .gz
  jsonl,         ///< one JSON object a line
  json,          ///< one array of objects
  csv,           ///< RFC 4180: quoted fields may hold commas, quotes ("") and line ends
  tsv,           ///< fields between tabs, nothing quoted
  text,          ///< column `text`: the line
  label_text,    ///< columns `label` and `text`: the first word of a line, and the rest of it
};
enum class CharacterEncoding { utf8, latin1 };

struct TableOptions {
  TableFormat format = TableFormat::by_extension;
  CharacterEncoding encoding = CharacterEncoding::utf8;
  /// csv, tsv: the columns of a file that does not open with a row of names. Empty: it does.
  std::vector<std::string> column_names;
};

struct Row {
  Json value;               ///< an object; csv, tsv, text and label_text give strings only
  std::int64_t number = 0;  ///< 1, 2, … over the rows of the file
  std::int64_t line = 0;    ///< where it begins, from 1; json: the number of the element
};

/// The rows of a file, one after the other, without holding the file in memory (json is the exception).
///
/// (next)* until it returns nothing. Line ends may be LF or CRLF, a byte order mark is skipped, blank lines are no
/// rows. Error{data} names file and line, and what was expected there; a file without a row is an error at once.
/// Not for concurrent use.
class TableReader {
 public:
  virtual ~TableReader() = default;
  std::optional<Row> next();
  const std::string& source() const { return source_; }

 protected:
  explicit TableReader(std::string source) : source_(std::move(source)) {}
  /// The next row but for its number.
  virtual std::optional<Row> read() = 0;

 private:
  std::string source_;
  std::int64_t rows_ = 0;
};

std::unique_ptr<TableReader> open_table(const std::filesystem::path& path, const TableOptions& options = {});

/// Error{data} that names the columns the row has, and the nearest, when one of `columns` is missing.
void require_columns(const Row& row, std::span<const std::string> columns, const std::string& source);

}  // namespace hone
