#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "base/fields.h"
#include "config/node.h"
#include "config/problems.h"

namespace hone {

/// One resolved file: `extends`, overrides and environment variables are applied. What was wrong so far is in
/// `problems`, for the reader to add to.
struct LoadedFile {
  Node root;
  Problems problems;
};

/// Error{config} when a file cannot be read or is not YAML.
LoadedFile load_file(const std::filesystem::path& path, std::span<const std::string> overrides);

/// Reads a file into the config struct behind `describe`. Error{config} lists everything that is wrong with it.
void load_fields(const std::filesystem::path& path, std::span<const std::string> overrides, const Catalogs& catalogs,
                 const Fields::Body& describe);

/// The same for a struct with `describe(Fields&)`.
template <class Config>
Config load_config(const std::filesystem::path& path, std::span<const std::string> overrides,
                   const Catalogs& catalogs) {
  Config config;
  load_fields(path, overrides, catalogs, [&config](Fields& f) { config.describe(f); });
  return config;
}

}  // namespace hone
