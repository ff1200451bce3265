#include "text/code_points.h"
#include "text/jinja/characters.h"
#include "text/jinja/filters.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

std::string_view entity_of(char c) {
  switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&#34;";
    case '\'': return "&#39;";
    default: return {};
  }
}

/// The text behind comments and tags that markup holds, or `text` itself.
const Str* without(Runtime& runtime, const Str& text, std::string_view open, std::string_view close) {
  const std::string_view view = text.view();
  TextBuilder out(runtime);
  std::size_t at = 0;
  for (std::size_t from = view.find(open); from != view.npos; from = view.find(open, at)) {
    const std::size_t to = view.find(close, from);
    if (to == view.npos) break;
    out.append_part(text, at, from);
    at = to + close.size();
  }
  if (at == 0) return &text;
  out.append_part(text, at, view.size());
  return out.finish();
}

}  // namespace

const Str* escaped_html(Runtime& runtime, const Str& text) {
  if (text.safe) return &text;
  runtime.spend_bytes(text.size * 4);
  TextBuilder out(runtime);
  FlagCursor flags(text);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < text.size; ++i) {
    const std::string_view entity = entity_of(text.data[i]);
    if (entity.empty()) continue;
    out.append_part(text, kept, i);
    out.append(entity, flags.at(i));
    kept = i + 1;
  }
  out.append_part(text, kept, text.size);
  return out.finish(true);
}

Value filter::striptags(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters(runtime, "striptags", arguments).end();
  const Str* text = to_str(runtime, value);
  runtime.spend_bytes(text->size * 4);
  text = without(runtime, *without(runtime, *text, "<!--", "-->"), "<", ">");
  const std::string_view view = text->view();
  TextBuilder out(runtime);
  FlagCursor flags(*text);
  for (std::size_t at = 0; at < view.size();) {  // words with one space between them
    const std::size_t begin = at;
    const char32_t point = next_code_point(view, at);
    if (is_space(point)) continue;
    std::size_t before = begin;
    const bool behind_space = begin > 0 && is_space(next_code_point(view, before = previous_point(view, begin)));
    if (behind_space && out.size() > 0) out.append(" ", flags.at(begin));
    out.append_part(*text, begin, at);
  }
  return Value::of(out.finish());
}

}  // namespace hone::jinja
