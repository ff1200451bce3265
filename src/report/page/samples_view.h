#pragma once

#include <string>

#include "report/record/run_record.h"

namespace hone::page {

/// Answers to the same held-out prompts in the first and in the last evaluation, side by side; "" without any.
std::string before_after_html(const StageRecord& stage);

/// Worst and best train completions of the last recorded steps, by reward; "" without any. Episodes whose reward failed
/// or abstained are counted, not ranked.
std::string extremes_html(const StageRecord& stage);

}  // namespace hone::page
