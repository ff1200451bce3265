#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "app/root_config.h"
#include "config/node.h"
#include "io/lock_file.h"
#include "stages/checkpoint.h"

namespace hone {

/// runs/<name>, held by this process while the object lives.
class RunDirectory {
 public:
  /// Makes the directory, or takes up the one that is there:
  ///
  ///   fresh                        an existing one is moved aside to the first free <name>.1, <name>.2 …
  ///   held by a live process       Error{io} with process and host
  ///   another configuration        Error{config} listing the keys; the length of the stage to go on with, and how often
  ///                                it saves, may differ
  ///   nothing of hone's in it      Error{config}
  ///
  /// Then writes config.yaml.
  RunDirectory(const RootConfig& config, bool fresh);

  /// Whether an earlier process has begun the run.
  static bool begun(const RootConfig& config);

  const std::filesystem::path& path() const { return path_; }
  /// Where an earlier process left the run; nothing for a new one.
  const std::optional<ResumePoint>& resume_point() const { return resume_point_; }
  /// What a file of the run is to be cut back to: nothing that an earlier process wrote behind its last checkpoint stays.
  std::int64_t kept_bytes(const std::string& file) const;

 private:
  void compare_configuration(const RootConfig& config, const Node& now) const;

  std::filesystem::path path_;
  std::optional<LockFile> lock_;
  std::optional<ResumePoint> resume_point_;
};

/// A configuration with every default filled in.
Node resolved_config(const RootConfig& config);

}  // namespace hone
