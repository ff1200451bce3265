#pragma once

#include <vector>

#include "rewards/math/expression.h"
#include "rewards/math/tokens.h"

namespace hone::math {

/// Are both the same value, list, relation or union? equivalence.h says when. Error{data} when one has no value.
bool same(const Expression& a, const Expression& b, double tolerance);

/// Do the tokens spell something that `same` can compare with itself?
bool has_meaning(const std::vector<Token>& tokens);

}  // namespace hone::math
