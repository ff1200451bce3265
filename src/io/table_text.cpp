#include "base/error.h"
#include "io/table_formats.h"

namespace hone {
namespace {

class TextReader : public TableReader {
 public:
  explicit TextReader(LineReader lines) : TableReader(lines.source()), lines_(std::move(lines)) {}

 protected:
  std::optional<Row> read() override {
    if (!lines_.next_filled(line_)) return std::nullopt;
    Json::Object columns;
    columns.emplace_back("text", Json(line_));
    return Row{.value = Json(std::move(columns)), .line = lines_.number()};
  }

 private:
  LineReader lines_;
  std::string line_;
};

class LabelTextReader : public TableReader {
 public:
  explicit LabelTextReader(LineReader lines) : TableReader(lines.source()), lines_(std::move(lines)) {}

 protected:
  std::optional<Row> read() override {
    if (!lines_.next_filled(line_)) return std::nullopt;
    const std::size_t gap = line_.find_first_of(" \t");
    if (gap == 0 || gap == std::string::npos) {
      fail(ErrorKind::data, "{}:{}: expected a label, a space and the text, found \"{}\"", source(), lines_.number(),
           line_.substr(0, 40));
    }
    Json::Object columns;
    columns.emplace_back("label", Json(line_.substr(0, gap)));
    columns.emplace_back("text", Json(line_.substr(gap + 1)));
    return Row{.value = Json(std::move(columns)), .line = lines_.number()};
  }

 private:
  LineReader lines_;
  std::string line_;
};

}  // namespace

std::unique_ptr<TableReader> open_text(LineReader lines) { return std::make_unique<TextReader>(std::move(lines)); }
std::unique_ptr<TableReader> open_label_text(LineReader lines) {
  return std::make_unique<LabelTextReader>(std::move(lines));
}

}  // namespace hone
