#include "text/jinja/filters.h"

#include <algorithm>
#include <utility>

#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

/// A filter that is a generator in Python: what it fails with comes up when its items are used. An exceeded limit stays
/// exceeded, so the next step fails with it.
template <FilterFunction filter>
Value lazy(Runtime& runtime, Value value, const Arguments& arguments) {
  try {
    return filter(runtime, value, arguments);
  } catch (const Error& error) {
    Value failing = make_iterator(runtime, {});
    failing.iterator->error = make_str(runtime, error.what());
    return failing;
  }
}

constexpr std::pair<std::string_view, FilterFunction> filters[] = {
    {"abs", filter::abs},
    {"attr", filter::attr},
    {"batch", lazy<filter::batch>},
    {"capitalize", filter::capitalize},
    {"center", filter::center},
    {"count", filter::length},
    {"d", filter::fallback},
    {"default", filter::fallback},
    {"dictsort", filter::dictsort},
    {"e", filter::escape},
    {"escape", filter::escape},
    {"first", filter::first},
    {"float", filter::real},
    {"forceescape", filter::forceescape},
    {"format", filter::format},
    {"groupby", filter::groupby},
    {"indent", filter::indent},
    {"int", filter::integer},
    {"items", lazy<filter::items>},
    {"join", filter::join},
    {"last", filter::last},
    {"length", filter::length},
    {"list", filter::list},
    {"lower", filter::lower},
    {"map", lazy<filter::map>},
    {"max", filter::max},
    {"min", filter::min},
    {"reject", lazy<filter::reject>},
    {"rejectattr", lazy<filter::rejectattr>},
    {"replace", filter::replace},
    {"reverse", filter::reverse},
    {"round", filter::round},
    {"safe", filter::safe},
    {"select", lazy<filter::select>},
    {"selectattr", lazy<filter::selectattr>},
    {"slice", lazy<filter::slice>},
    {"sort", filter::sort},
    {"string", filter::string},
    {"striptags", filter::striptags},
    {"sum", filter::sum},
    {"title", filter::title},
    {"tojson", filter::tojson},
    {"trim", filter::trim},
    {"truncate", filter::truncate},
    {"unique", lazy<filter::unique>},
    {"upper", filter::upper},
};

constexpr std::pair<std::string_view, std::string_view> refused[] = {
    {"random", "a chat template must give the same text every time"},
    {"filesizeformat", "it formats file sizes for web pages"},
    {"pprint", "it is for debugging"},
    {"urlencode", "it is for web pages"},
    {"urlize", "it is for web pages"},
    {"wordcount", "no chat template uses it"},
    {"wordwrap", "no chat template uses it"},
    {"xmlattr", "it is for web pages"},
};

}  // namespace

FilterFunction find_filter(std::string_view name) {
  const auto entry = std::ranges::find(filters, name, &std::pair<std::string_view, FilterFunction>::first);
  return entry == std::end(filters) ? nullptr : entry->second;
}

std::string_view why_no_filter(std::string_view name) {
  const auto entry = std::ranges::find(refused, name, &std::pair<std::string_view, std::string_view>::first);
  return entry == std::end(refused) ? std::string_view() : entry->second;
}

}  // namespace hone::jinja
