#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text and figures of the HTML report.
namespace hone::page {

/// Any bytes as text of an HTML element or of a quoted attribute. Markup is escaped; what could disturb the page is
/// made visible: control characters as ␀…␡, direction overrides as [U+202E], broken UTF-8 as U+FFFD. Line ends and tabs
/// stay.
std::string escaped(std::string_view text);

/// The same of the first `most` code points, and how much was left out.
std::string escaped_part(std::string_view text, std::size_t most);

/// The name of a metric, which may break behind each `_` and `/`.
std::string escaped_name(std::string_view name);

/// A figure for people: 35,497, 0.967, 3e-05; "–" when it is not finite.
std::string figure(double value);

/// An id for links: letters, digits and hyphens of `text`, made unique by `number`.
std::string anchor(std::string_view text, std::size_t number);

}  // namespace hone::page
