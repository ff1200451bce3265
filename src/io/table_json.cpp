#include "base/error.h"
#include "io/table_formats.h"

namespace hone {
namespace {

class JsonlReader : public TableReader {
 public:
  explicit JsonlReader(LineReader lines) : TableReader(lines.source()), lines_(std::move(lines)) {}

 protected:
  std::optional<Row> read() override {
    if (!lines_.next_filled(line_)) return std::nullopt;
    const std::string where = fmt::format("{}:{}", source(), lines_.number());
    Row row{.value = Json::parse(line_, where), .line = lines_.number()};
    if (!row.value.is_object()) {
      fail(ErrorKind::data, "{}: expected a JSON object ({{\"column\": value, …}}), found {}", where,
           row.value.type_name());
    }
    return row;
  }

 private:
  LineReader lines_;
  std::string line_;
};

class JsonReader : public TableReader {
 public:
  explicit JsonReader(LineReader lines) : TableReader(lines.source()) {
    const std::string text = lines.rest();
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) return;  // `next` reports a file without rows
    Json json = Json::parse(text, source());
    if (!json.is_array()) {
      fail(ErrorKind::data,
           "{}: expected one array of objects, found {}; with one object a line it is `format: jsonl`", source(),
           json.type_name());
    }
    rows_ = std::move(json.as_array());
  }

 protected:
  std::optional<Row> read() override {
    if (at_ == rows_.size()) return std::nullopt;
    Row row{.value = std::move(rows_[at_]), .line = static_cast<std::int64_t>(at_) + 1};
    ++at_;
    if (!row.value.is_object()) {
      fail(ErrorKind::data, "{}: element {} of the array must be an object, not {}", source(), at_,
           row.value.type_name());
    }
    return row;
  }

 private:
  Json::Array rows_;
  std::size_t at_ = 0;
};

}  // namespace

std::unique_ptr<TableReader> open_jsonl(LineReader lines) { return std::make_unique<JsonlReader>(std::move(lines)); }
std::unique_ptr<TableReader> open_json(LineReader lines) { return std::make_unique<JsonReader>(std::move(lines)); }

}  // namespace hone
