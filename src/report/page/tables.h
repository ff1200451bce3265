#pragma once

#include <span>
#include <string>

#include "base/json.h"
#include "report/summary.h"

namespace hone::page {

/// Stage, held-out metric, before, after, time, tokens/s.
std::string stage_table_html(std::span<const StageSummary> stages);

/// Every value of a JSON document with the path to it: "cpu.name".
std::string json_table_html(const Json& document);

}  // namespace hone::page
