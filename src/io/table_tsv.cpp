#include "io/table_columns.h"
#include "io/table_formats.h"

namespace hone {
namespace {

class TsvReader : public TableReader {
 public:
  TsvReader(LineReader lines, std::vector<std::string> names)
      : TableReader(lines.source()), lines_(std::move(lines)), names_(std::move(names)) {
    if (!names_.empty()) {
      check_column_names(names_, source(), 1);
    } else if (lines_.next_filled(line_)) {
      names_ = fields();
      check_column_names(names_, source(), lines_.number());
    }
  }

 protected:
  std::optional<Row> read() override {
    if (!lines_.next_filled(line_)) return std::nullopt;
    const std::int64_t line = lines_.number();
    return Row{.value = row_of_fields(names_, fields(), source(), line), .line = line};
  }

 private:
  std::vector<std::string> fields() const {
    std::vector<std::string> result;
    std::size_t begin = 0;
    while (true) {
      const std::size_t end = line_.find('\t', begin);
      result.push_back(line_.substr(begin, end - begin));
      if (end == std::string::npos) return result;
      begin = end + 1;
    }
  }

  LineReader lines_;
  std::vector<std::string> names_;
  std::string line_;
};

}  // namespace

std::unique_ptr<TableReader> open_tsv(LineReader lines, std::vector<std::string> column_names) {
  return std::make_unique<TsvReader>(std::move(lines), std::move(column_names));
}

}  // namespace hone
