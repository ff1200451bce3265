#include "data/similar_texts.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"

namespace hone {

namespace {

std::vector<std::string_view> texts_of(const DataRow& row, DataShape shape) {
  switch (shape) {
    case DataShape::positive: return {row.text, row.positive};
    case DataShape::triplet: return {row.text, row.positive, row.negative};
    case DataShape::text: return {row.text};
    default: return {row.text, row.text_pair};
  }
}

}  // namespace

std::int64_t compared_texts(const Dataset& data) {
  switch (data.shape()) {
    case DataShape::text: return 1;
    case DataShape::positive:
    case DataShape::text_pair:
    case DataShape::text_pair_value: return 2;
    case DataShape::triplet: return 3;
    default: break;
  }
  fail(ErrorKind::data,
       "data.{}: rows of {} are not for comparing texts: expected anchor+positive, anchor+positive+negative, text+text_pair, "
       "text+text_pair+value or text; name the columns with `columns:`",
       data.name(), data.shape_name());
}

std::vector<TokenExample> encode_similar(const Dataset& data, Split split, const DataRow& row, std::int64_t number,
                                         TextEncoder& encoder) {
  const std::string where = data.place(split, static_cast<std::size_t>(number));
  std::vector<TokenExample> texts;
  for (const std::string_view text : texts_of(row, data.shape())) {
    texts.push_back(encoder.encode(text, std::nullopt, where, number));
    if (data.shape() == DataShape::text_pair_value) texts.back().values = {static_cast<float>(row.value)};
  }
  return texts;
}

std::vector<TokenExample> encode_similar(const Dataset& data, Split split, TextEncoder& encoder) {
  const auto rows = data.rows(split);
  std::vector<TokenExample> examples;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (data.shape() == DataShape::triplet && rows[i].positive == rows[i].negative) {
      fail(ErrorKind::data, "{}: positive and negative are the same text, expected two that differ", data.place(split, i));
    }
    const std::vector<TokenExample> texts =
        encode_similar(data, split, rows[i], static_cast<std::int64_t>(i), encoder);
    const bool whole = std::none_of(texts.begin(), texts.end(), [](const TokenExample& text) { return text.ids.empty(); });
    if (whole) examples.insert(examples.end(), texts.begin(), texts.end());
  }
  if (examples.empty()) {
    fail(ErrorKind::data, "data.{}: nothing to learn: no row has its texts ({})", data.name(), encoder.report().text());
  }
  return examples;
}

}  // namespace hone
