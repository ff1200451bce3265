#pragma once

#include "base/fields.h"
#include "base/json.h"

namespace hone {

/// JSON Schema (draft 2020-12) of a configuration file, for editors. It accepts what the reader accepts; files with
/// `extends` are checked without required keys, which the other file may hold. Rules between fields, unique names and
/// what `<<` merges are left to the reader.
Json json_schema(const Catalogs& catalogs, const Fields::Body& describe);

}  // namespace hone
