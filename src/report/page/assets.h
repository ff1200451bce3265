#pragma once

#include <string>
#include <string_view>

namespace hone::page {

/// The page's style sheet: light and dark, from a phone's width, on paper.
std::string style();

/// Adds to the charts a cursor with the values at a step. The page is complete without it.
std::string_view script();

}  // namespace hone::page
