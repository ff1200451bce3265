#include "plugin/http/retry.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace hone {

double Backoff::wait(std::int64_t attempt, Random& random) const {
  const double whole = std::min(longest, std::ldexp(first, static_cast<int>(std::min<std::int64_t>(attempt, 60))));
  return whole * (1 - 0.5 * random.uniform());
}

std::optional<double> retry_after_seconds(std::string_view value, std::time_t now) {
  const std::size_t begin = value.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  value = value.substr(begin, value.find_last_not_of(" \t") - begin + 1);
  std::uint64_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (end == value.data() + value.size()) {
    if (error == std::errc::result_out_of_range) return 1e18;
    if (error == std::errc()) return static_cast<double>(seconds);
  }
  std::tm date{};
  const std::string text(value);
  const char* stop = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (stop == nullptr || *stop != '\0') return std::nullopt;
  return std::max(0.0, std::difftime(::timegm(&date), now));
}

}  // namespace hone
