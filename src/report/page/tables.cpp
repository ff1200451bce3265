#include "report/page/tables.h"

#include <fmt/format.h>

#include <cmath>

#include "base/format.h"
#include "report/page/text.h"

namespace hone::page {

namespace {

constexpr std::size_t most_rows = 500;
constexpr std::size_t most_characters = 500;  // of one value

std::string cell(const std::optional<double>& value) {
  return fmt::format("<td class=\"number\">{}</td>", value ? figure(*value) : "–");
}

struct Flat {
  std::string path;
  std::string value;
};

bool is_plain(const Json& value) { return !value.is_object() && !value.is_array(); }

std::string plain_text(const Json& value) { return value.is_string() ? value.as_string() : value.dump(); }

/// Arrays of plain values are one row; other arrays and objects a row for each value inside.
void flatten(const Json& value, const std::string& path, std::vector<Flat>& rows) {
  if (rows.size() >= most_rows) return;
  const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  if (value.is_object()) {
    for (const auto& [key, member] : value.as_object()) flatten(member, below(key), rows);
  } else if (value.is_array()) {
    std::string joined;
    std::size_t index = 0;
    for (const Json& item : value.as_array()) {
      if (is_plain(item)) {
        joined += (joined.empty() ? "" : ", ") + plain_text(item);
      } else {
        flatten(item, below(std::to_string(index)), rows);
      }
      ++index;
    }
    if (!joined.empty()) rows.push_back({path, joined});
  } else {
    rows.push_back({path, plain_text(value)});
  }
}

}  // namespace

std::string stage_table_html(std::span<const StageSummary> stages) {
  std::string out =
      "<div class=\"wide\"><table class=\"stages\"><thead><tr><th>Stage</th><th>Held-out</th><th "
      "class=\"number\">Before</th>"
      "<th class=\"number\">After</th><th class=\"number\">Time</th><th class=\"number\" title=\"of the median "
      "step\">Tokens/s</th>"
      "</tr></thead>\n";
  for (const StageSummary& stage : stages) {
    const std::size_t rows = std::max<std::size_t>(stage.held_out.size(), 1);
    const std::string rate = stage.tokens > 0 && stage.seconds > 0
                                 ? format_count(std::llround(static_cast<double>(stage.tokens) / stage.seconds))
                                 : "–";
    out += "<tbody>";
    for (std::size_t i = 0; i < rows; ++i) {
      const HeldOut row = stage.held_out.empty() ? HeldOut{.metric = "–"} : stage.held_out[i];
      out += "<tr>";
      if (i == 0) out += fmt::format("<th rowspan=\"{}\">{}</th>", rows, escaped_name(stage.stage));
      out += fmt::format("<td>{}</td>{}{}", escaped_name(row.metric), cell(row.before), cell(row.after));
      if (i == 0) {
        out += fmt::format("<td class=\"number\" rowspan=\"{0}\">{1}</td><td class=\"number\" rowspan=\"{0}\">{2}</td>",
                           rows, format_duration(stage.seconds), rate);
      }
      out += "</tr>\n";
    }
    out += "</tbody>\n";
  }
  return out + "</table></div>\n";
}

std::string json_table_html(const Json& document) {
  std::vector<Flat> rows;
  flatten(document, "", rows);
  std::string out = "<div class=\"wide\"><table class=\"facts-table\"><tbody>\n";
  for (const Flat& row : rows) {
    out += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", escaped_name(row.path),
                       escaped_part(row.value, most_characters));
  }
  if (rows.size() >= most_rows) out += "<tr><th></th><td class=\"dim\">more is in environment.json</td></tr>\n";
  return out + "</tbody></table></div>\n";
}

}  // namespace hone::page
