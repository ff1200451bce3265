#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.h"
#include "data/packing.h"
#include "data/text_encoder.h"

namespace hone {

/// How many texts rows of this shape compare: 1 (text), 2 (anchor+positive, text+text_pair, text+text_pair+value) or 3
/// (anchor+positive+negative). Error{data} for other shapes.
std::int64_t compared_texts(const Dataset& data);

/// The texts of one row, in place of the one of that number; one without ids is left out.
std::vector<TokenExample> encode_similar(const Dataset& data, Split split, const DataRow& row, std::int64_t number,
                                         TextEncoder& encoder);

/// The texts of each row, one behind the other, each a sequence of its own; `values` holds a row's value in each of its
/// texts. A row that loses one text (`skip`, or no token) is left out whole. Error{data} with file and line when a
/// negative equals its positive, and when no row is left.
std::vector<TokenExample> encode_similar(const Dataset& data, Split split, TextEncoder& encoder);

}  // namespace hone
