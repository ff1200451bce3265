#pragma once

#include <string>
#include <string_view>

namespace hone {

/// An Oniguruma pattern (the notation of tokenizer.json) as a PCRE2 pattern for UTF and UCP modes that matches the
/// same texts. Error{data} for a construct that the two engines read differently.
std::string oniguruma_to_pcre2(std::string_view pattern, const std::string& source);

}  // namespace hone
