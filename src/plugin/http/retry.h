#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>

#include "base/random.h"

namespace hone {

/// When a failed request is sent again: after first · 2^attempt seconds, at most `longest`, of which a random half is
/// taken off so that many clients do not come back together.
struct Backoff {
  double first = 0.25;
  double longest = 8;
  /// Seconds before try number attempt + 2. `attempt` counts from 0.
  double wait(std::int64_t attempt, Random& random) const;
};

/// Seconds that a Retry-After header asks for: a number, or a date (RFC 9110, section 10.2.3) seen from `now`. Nothing
/// when it is neither; 0 for the past.
std::optional<double> retry_after_seconds(std::string_view value, std::time_t now);

}  // namespace hone
