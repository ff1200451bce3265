#pragma once

#include "base/json.h"
#include "io/adapter_files.h"

namespace hone {

/// The two directions of adapter_config.json. `source` is the file that messages name.
AdapterConfig parse_adapter_config(const Json& json, const std::string& source);
Json adapter_config_json(const AdapterConfig& config);

}  // namespace hone
