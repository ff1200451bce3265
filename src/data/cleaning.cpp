#include "data/cleaning.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "text/aligned_text.h"
#include "text/code_points.h"
#include "text/normal_forms.h"

namespace hone {

namespace {

/// Names of U+00A0 … U+00FF.
constexpr std::array<std::string_view, 96> latin_entities{
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",    "copy",   "ordf",   "laquo",
    "not",    "shy",    "reg",    "macr",   "deg",    "plusmn", "sup2",   "sup3",   "acute",  "micro",  "para",   "middot",
    "cedil",  "sup1",   "ordm",   "raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",  "Atilde",
    "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",   "Igrave", "Iacute", "Icirc",  "Iuml",
    "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde", "Ouml",   "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",
    "Uuml",   "Yacute", "THORN",  "szlig",  "agrave", "aacute", "acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil",
    "egrave", "eacute", "ecirc",  "euml",   "igrave", "iacute", "icirc",  "iuml",   "eth",    "ntilde", "ograve", "oacute",
    "ocirc",  "otilde", "ouml",   "divide", "oslash", "ugrave", "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml"};

constexpr std::array<std::pair<std::string_view, char32_t>, 18> other_entities{
    {{"quot", '"'},       {"amp", '&'},        {"lt", '<'},         {"gt", '>'},         {"apos", '\''},
     {"ndash", 0x2013},   {"mdash", 0x2014},   {"lsquo", 0x2018},   {"rsquo", 0x2019},   {"sbquo", 0x201A},
     {"ldquo", 0x201C},   {"rdquo", 0x201D},   {"bdquo", 0x201E},   {"bull", 0x2022},    {"hellip", 0x2026},
     {"euro", 0x20AC},    {"trade", 0x2122},   {"minus", 0x2212}}};

char32_t numbered(std::string_view digits, int base) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  const bool valid = error == std::errc() && end == digits.data() + digits.size() && value > 0 && value <= 0x10FFFF &&
                     (value < 0xD800 || value > 0xDFFF);
  return valid ? value : 0;
}

/// What stands between & and ;, 0 when it is no entity.
char32_t entity(std::string_view name) {
  if (name.starts_with("#x") || name.starts_with("#X")) return numbered(name.substr(2), 16);
  if (name.starts_with('#')) return numbered(name.substr(1), 10);
  const auto latin = std::ranges::find(latin_entities, name);
  if (latin != latin_entities.end()) return static_cast<char32_t>(0xA0 + (latin - latin_entities.begin()));
  const auto other = std::ranges::find(other_entities, name, &std::pair<std::string_view, char32_t>::first);
  return other != other_entities.end() ? other->second : 0;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower_name(std::string_view text) {
  std::string name;
  for (const char c : text) {
    if (!is_letter(c) && !(c >= '1' && c <= '6')) break;
    name += static_cast<char>(c | 0x20);
  }
  return name;
}

struct Tag {
  std::size_t end;  ///< behind its >
  std::string name;
  bool closes;
};

/// The tag, comment or declaration that begins at `at`.
std::optional<Tag> tag_at(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  if (rest.starts_with("<!--")) {
    const std::size_t end = rest.find("-->", 4);
    return Tag{end == std::string_view::npos ? text.size() : at + end + 3, "", false};
  }
  const bool closes = rest.starts_with("</");
  const std::size_t name = closes || rest.starts_with("<!") || rest.starts_with("<?") ? 2 : 1;
  if (rest.size() <= name || !is_letter(rest[name])) return std::nullopt;
  char quote = 0;
  for (std::size_t i = name; i < rest.size(); ++i) {
    if (quote != 0) {
      if (rest[i] == quote) quote = 0;
    } else if (rest[i] == '"' || rest[i] == '\'') {
      if (rest[i - 1] == '=') quote = rest[i];
    } else if (rest[i] == '<') {
      return std::nullopt;
    } else if (rest[i] == '>') {
      return Tag{at + i + 1, lower_name(rest.substr(name)), closes};
    }
  }
  return std::nullopt;
}

bool ends_line(const std::string& name) {
  constexpr std::array<std::string_view, 16> blocks{"br", "p",  "div", "li", "tr", "h1", "h2", "h3",
                                                    "h4", "h5", "h6",  "ul", "ol", "table", "hr", "blockquote"};
  return std::ranges::find(blocks, name) != blocks.end();
}

/// Behind the closing tag of an element whose content is no text.
std::size_t behind_element(std::string_view text, const Tag& tag) {
  for (std::size_t at = text.find("</", tag.end); at != std::string_view::npos; at = text.find("</", at + 2)) {
    const std::optional<Tag> closing = tag_at(text, at);
    if (closing && closing->name == tag.name) return closing->end;
  }
  return text.size();
}

std::string in_form(std::string_view text, UnicodeForm form) {
  AlignedText aligned(text, false);
  NormalFormNormalizer(form == UnicodeForm::nfc ? NormalForm::nfc : NormalForm::nfkc).normalize(aligned);
  return aligned.text();
}

}  // namespace

std::string without_html(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '<') {
      if (const std::optional<Tag> tag = tag_at(text, at)) {
        const bool no_text = !tag->closes && (tag->name == "script" || tag->name == "style");
        at = no_text ? behind_element(text, *tag) : tag->end;
        if (ends_line(tag->name)) out += '\n';
        continue;
      }
    } else if (text[at] == '&') {
      const std::size_t end = text.substr(0, std::min(text.size(), at + 12)).find(';', at);
      if (const char32_t point = end == std::string_view::npos ? 0 : entity(text.substr(at + 1, end - at - 1))) {
        append_utf8(out, point);
        at = end + 1;
        continue;
      }
    }
    out += text[at++];
  }
  return out;
}

bool is_invisible(char32_t point) {
  if (point < 0x20) return point != '\t' && point != '\n' && point != '\r';
  return (point >= 0x7F && point <= 0x9F && point != 0x85) || point == 0xAD || point == 0x200B || point == 0x200E ||
         point == 0x200F || (point >= 0x202A && point <= 0x202E) || (point >= 0x2060 && point <= 0x2064) ||
         (point >= 0x2066 && point <= 0x206F) || point == 0xFEFF || (point >= 0xFFF9 && point <= 0xFFFB);
}

std::string with_plain_white_space(std::string_view text) {
  std::string out;
  int line_ends = 0;
  bool space = false, carriage_return = false;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t point = next_code_point(text, at);
    if (is_white_space(point)) {
      const bool line_end = point == '\n' || point == '\r' || point == 0x85 || point == 0x2028 || point == 0x2029;
      line_ends += line_end && !(point == '\n' && carriage_return) ? 1 : 0;
      carriage_return = point == '\r';
      space = true;
      continue;
    }
    if (space && !out.empty()) out += line_ends == 0 ? " " : line_ends == 1 ? "\n" : "\n\n";
    line_ends = 0, space = false, carriage_return = false;
    append_utf8(out, point);
  }
  return out;
}

std::string clean_text(std::string_view text, const CleaningConfig& config) {
  std::string out = config.html ? without_html(text) : std::string(text);
  if (config.control) {
    std::string visible;
    for (std::size_t at = 0; at < out.size();) {
      const std::size_t begin = at;
      if (!is_invisible(next_code_point(out, at))) visible.append(out, begin, at - begin);
    }
    out = std::move(visible);
  }
  if (config.unicode != UnicodeForm::none) out = in_form(out, config.unicode);
  return config.white_space ? with_plain_white_space(out) : out;
}

}  // namespace hone
