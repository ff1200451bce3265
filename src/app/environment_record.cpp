#include "app/environment_record.h"

#include <torch/version.h>
#include <unistd.h>

#include <thread>

#include "app/machine.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/threads.h"
#include "io/checksum.h"
#include "io/file.h"
#include "kernels/isa.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

Json data_files(const RootConfig& config) {
  Json files = Json::object();
  for (const auto& [name, data] : config.data) {
    const auto add = [&files](const std::string& path) {
      const auto bytes = static_cast<std::int64_t>(fs::file_size(path));
      files.set(path, Json::Object{{"bytes", bytes}, {"xxh3", file_checksum(path)}});
    };
    add(data.path);
    if (data.held_out_path) add(*data.held_out_path);
  }
  return files;
}

/// What an earlier process wrote; null when there is nothing or nothing readable.
Json earlier_record(const fs::path& file) {
  try {
    return fs::exists(file) ? Json::parse(read_file(file), file.string()) : Json();
  } catch (const Error& error) {
    log_warn("{}", error.what());
    return {};
  }
}

void compare_data(const Json& now, const Json& before) {
  for (const auto& [path, entry] : before.is_object() ? before.as_object() : Json::Object{}) {
    const Json* file = now.find(path);
    if (file == nullptr || *file == entry) continue;
    log_warn("{}: changed since the run began: it is not the same run any more", path);
  }
}

}  // namespace

void record_environment(const fs::path& directory, const RootConfig& config, const Run& run) {
  const fs::path file = directory / "environment.json";
  const Json before = earlier_record(file);
  Json record = Json::object();
  record.set("hone", Json::Object{{"version", HONE_VERSION}, {"commit", build_commit()}});
  record.set("machine", Json::Object{{"cpu", cpu_model()},
                                     {"cores", static_cast<std::int64_t>(std::thread::hardware_concurrency())},
                                     {"instruction set", kernels::isa_name()},
                                     {"bfloat16", kernels::has_bfloat16()},
                                     {"memory available", available_memory()},
                                     {"system", operating_system()}});
  record.set("libraries", Json::Object{{"LibTorch", TORCH_VERSION}});
  record.set("run", Json::Object{{"seed", config.run.seed},
                                 {"threads", static_cast<std::int64_t>(threads())},
                                 {"matrix products", run.compute == kernels::Compute::bfloat16 ? "bfloat16" : "float32"}});
  Json data = data_files(config);
  if (const Json* known = before.find("data")) compare_data(data, *known);
  record.set("data", std::move(data));
  Json processes = Json::array();
  if (const Json* earlier = before.find("processes"); earlier != nullptr && earlier->is_array()) processes = *earlier;
  const auto process = static_cast<std::int64_t>(::getpid());
  processes.push_back(Json::Object{{"started", utc_time()}, {"host", host_name()}, {"pid", process}});
  record.set("processes", std::move(processes));
  write_file_atomic(file, record.dump(2) + "\n");
}

}  // namespace hone
