#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Numbers, words and tables for people.
namespace hone {

/// "512 B", "1.5 KiB", "64 MiB".
std::string format_bytes(std::int64_t bytes);
/// "850 ms", "12.3 s", "4 min 05 s", "2 h 07 min", "3 d 04 h".
std::string format_duration(double seconds);
/// "1,234,567".
std::string format_count(std::int64_t count);
/// Amount a second: "12,345 tokens/s", "3.25 steps/s".
std::string format_rate(double per_second, std::string_view unit);

/// Now by the wall clock: "2026-11-22T04:12:08Z".
std::string utc_time();

/// The candidate with the smallest edit distance (insert, delete, replace, swap neighbours; case and `-`/`_` do not
/// count), or "" when none is near: the distance may be a third of the longer word.
std::string nearest_word(std::string_view word, std::span<const std::string> candidates);
/// "; did you mean 'x'?" with the nearest candidate, else "; known: a, b, c", else "".
std::string suggestion(std::string_view word, std::span<const std::string> candidates);

enum class Align { left, right };

/// Text in columns, two spaces apart; widths count code points.
class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// As many cells as there are columns.
  void add(std::vector<std::string> cells);
  /// Titles, a rule, then the rows; each line ends with a newline and has no spaces at its end.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace hone
