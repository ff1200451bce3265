#include "base/error.h"
#include "io/table_columns.h"
#include "io/table_formats.h"

#include <algorithm>

namespace hone {
namespace {

/// RFC 4180. A quote that opens a field must be the field's first byte; inside, two quotes mean one. Quotes within
/// an unquoted field stand for themselves. A line end within quotes becomes LF.
class CsvReader : public TableReader {
 public:
  CsvReader(LineReader lines, std::vector<std::string> names)
      : TableReader(lines.source()), lines_(std::move(lines)), names_(std::move(names)) {
    if (!names_.empty()) {
      check_column_names(names_, source(), 1);
    } else if (read_record(names_)) {
      check_column_names(names_, source(), first_line_);
    }
  }

 protected:
  std::optional<Row> read() override {
    std::vector<std::string> fields;
    if (!read_record(fields)) return std::nullopt;
    return Row{.value = row_of_fields(names_, std::move(fields), source(), first_line_), .line = first_line_};
  }

 private:
  bool read_record(std::vector<std::string>& fields) {
    if (!lines_.next_filled(line_)) return false;
    first_line_ = lines_.number();
    std::size_t at = 0;
    while (true) {
      const bool quoted = at < line_.size() && line_[at] == '"';
      fields.push_back(quoted ? quoted_field(at) : plain_field(at));
      if (at == line_.size()) return true;
      ++at;  // the comma
    }
  }

  std::string plain_field(std::size_t& at) const {
    const std::size_t end = std::min(line_.find(',', at), line_.size());
    std::string field = line_.substr(at, end - at);
    at = end;
    return field;
  }

  /// Reads on into the following lines as long as the quote is open.
  std::string quoted_field(std::size_t& at) {
    const std::int64_t opened = lines_.number();
    std::string field;
    ++at;
    while (true) {
      const std::size_t quote = line_.find('"', at);
      if (quote == std::string::npos) {
        field.append(line_, at).push_back('\n');
        if (!lines_.next(line_)) {
          fail(ErrorKind::data, "{}:{}: the quote that opens in this line is never closed", source(), opened);
        }
        at = 0;
        continue;
      }
      field.append(line_, at, quote - at);
      at = quote + 1;
      if (at < line_.size() && line_[at] == '"') {
        field.push_back('"');
        ++at;
        continue;
      }
      if (at < line_.size() && line_[at] != ',') {
        fail(ErrorKind::data, "{}:{}: byte {}: expected a comma or the line's end after a closing quote, found '{}'",
             source(), lines_.number(), at + 1, line_[at]);
      }
      return field;
    }
  }

  LineReader lines_;
  std::vector<std::string> names_;
  std::string line_;
  std::int64_t first_line_ = 1;
};

}  // namespace

std::unique_ptr<TableReader> open_csv(LineReader lines, std::vector<std::string> column_names) {
  return std::make_unique<CsvReader>(std::move(lines), std::move(column_names));
}

}  // namespace hone
