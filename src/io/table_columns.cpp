#include "io/table_columns.h"

#include "base/error.h"

#include <algorithm>

namespace hone {

void check_column_names(const std::vector<std::string>& names, const std::string& source, std::int64_t line) {
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (name->empty()) {
      fail(ErrorKind::data, "{}:{}: column {} has no name; a file without a row of names needs them given", source,
           line, name - names.begin() + 1);
    }
    if (std::find(names.begin(), name, *name) != name) {
      fail(ErrorKind::data, "{}:{}: two columns are named `{}`; a file without a row of names needs them given",
           source, line, *name);
    }
  }
}

Json row_of_fields(const std::vector<std::string>& names, std::vector<std::string> fields, const std::string& source,
                   std::int64_t line) {
  if (fields.size() != names.size()) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    fail(ErrorKind::data, "{}:{}: expected {} fields ({}), found {}", source, line, names.size(), list,
         fields.size());
  }
  Json::Object columns;
  columns.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) columns.emplace_back(names[i], Json(std::move(fields[i])));
  return Json(std::move(columns));
}

}  // namespace hone
