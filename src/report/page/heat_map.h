#pragma once

#include <string>

#include "report/record/run_record.h"

namespace hone::page {

/// Tokens of a few train samples on backgrounds that tell their advantage (diverging around 0) and their
/// log-probability (from certain to surprising), with the exact figures as titles and a legend of each scale; ""
/// without such samples.
std::string heat_maps_html(const StageRecord& stage);

}  // namespace hone::page
