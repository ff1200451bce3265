#pragma once

#include "base/json.h"

#include <cstdint>
#include <string>
#include <vector>

namespace hone {

/// The column names of a csv or tsv file. Error{data} when two are the same or one is empty.
void check_column_names(const std::vector<std::string>& names, const std::string& source, std::int64_t line);

/// An object of the fields; Error{data} when their number is not that of the names.
Json row_of_fields(const std::vector<std::string>& names, std::vector<std::string> fields, const std::string& source,
                   std::int64_t line);

}  // namespace hone
