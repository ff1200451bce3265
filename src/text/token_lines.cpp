#include "text/token_lines.h"

#include "base/error.h"
#include "base/json.h"

#include <istream>
#include <ostream>

namespace hone {
namespace {

Json numbers(const std::vector<std::int32_t>& ids) {
  Json list = Json::array();
  for (const std::int32_t id : ids) list.push_back(Json(static_cast<std::int64_t>(id)));
  return list;
}

Json with_offsets(const EncodedText& text) {
  Json offsets = Json::array();
  for (const TextRange range : text.offsets) {
    offsets.push_back(numbers({static_cast<std::int32_t>(range.begin), static_cast<std::int32_t>(range.end)}));
  }
  Json result = Json::object();
  result.set("ids", numbers(text.ids));
  result.set("type_ids", numbers(text.type_ids));
  result.set("offsets", std::move(offsets));
  return result;
}

Json encoded(const Tokenizer& tokenizer, const Json& line, const std::string& where, const TokenLinesOptions& options) {
  TextPair texts;
  if (line.is_string()) {
    texts.first = line.as_string();
  } else if (line.is_array() && line.as_array().size() == 2 && line.as_array()[0].is_string() &&
             line.as_array()[1].is_string()) {
    texts = {line.as_array()[0].as_string(), line.as_array()[1].as_string()};
  } else {
    fail(ErrorKind::data, "{}: expected a string or a pair of strings, found {}", where, line.dump().substr(0, 80));
  }
  if (!options.offsets && !texts.second) return numbers(tokenizer.encode(texts.first, options.add, options.special));
  const EncodedText text = tokenizer.encode_with_offsets(texts, options.add, options.special);
  return options.offsets ? with_offsets(text) : numbers(text.ids);
}

std::vector<std::int32_t> ids_of(const Json& line, const std::string& where) {
  std::vector<std::int32_t> ids;
  const auto expect = [&](bool fits, const Json& value) {
    if (!fits) fail(ErrorKind::data, "{}: expected an array of ids, found {}", where, value.dump().substr(0, 80));
  };
  expect(line.is_array(), line);
  for (const Json& id : line.as_array()) {
    expect(id.is_integer() && id.as_integer() >= 0 && id.as_integer() <= INT32_MAX, id);
    ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  }
  return ids;
}

template <class Answer>
void for_each_line(std::istream& in, std::ostream& out, const Answer& answer) {
  std::int64_t number = 0;
  for (std::string line; std::getline(in, line);) {
    const std::string where = fmt::format("line {}", ++number);
    if (line.empty() || line == "\r") continue;
    out << answer(Json::parse(line, where), where).dump() << '\n';
  }
}

}  // namespace

void encode_lines(const Tokenizer& tokenizer, std::istream& in, std::ostream& out, const TokenLinesOptions& options) {
  for_each_line(in, out, [&](const Json& line, const std::string& where) {
    return encoded(tokenizer, line, where, options);
  });
}

void decode_lines(const Tokenizer& tokenizer, std::istream& in, std::ostream& out, SkipSpecial skip) {
  for_each_line(in, out, [&](const Json& line, const std::string& where) {
    return Json(tokenizer.decode(ids_of(line, where), skip));
  });
}

}  // namespace hone
