#include "config/load.h"

#include "config/environment_variables.h"
#include "config/extends.h"
#include "config/overrides.h"
#include "config/reader.h"

namespace hone {

LoadedFile load_file(const std::filesystem::path& path, std::span<const std::string> overrides) {
  LoadedFile file;
  file.root = read_with_bases(path, file.problems);
  apply_overrides(file.root, overrides, file.problems);
  expand_environment(file.root, "", file.problems);
  return file;
}

void load_fields(const std::filesystem::path& path, std::span<const std::string> overrides, const Catalogs& catalogs,
                 const Fields::Body& describe) {
  LoadedFile file = load_file(path, overrides);
  read_fields(file.root, catalogs, describe, file.problems);
  file.problems.throw_if_any();
}

}  // namespace hone
