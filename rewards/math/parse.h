#pragma once

#include <vector>

#include "rewards/math/expression.h"
#include "rewards/math/tokens.h"

namespace hone::math {

/// The answer that the tokens spell: a value, a list, a relation or a union. ± gives the list of both values.
///
///     answer    = ratio ((',' | ';') ratio)*
///     ratio     = relation (':' relation)*
///     relation  = union (('=' | '<' | '\le' | '\in' | …) union)*
///     union     = sum ('\cup' sum)*
///     sum       = product (('+' | '-') product)*
///     product   = signed (('*' | '/' | nothing) signed)*
///     signed    = '-'* power
///     power     = primary ('!' | '%' | '\degree')* ('^' argument)?
///
/// An unsigned whole number before a proper fraction is a mixed number. Functions without brackets take the product
/// that follows up to the next function. A letter named f, g, h, F, G, H, O or with a prime applies to the brackets
/// after it, and so does any before brackets with a comma; other letters are multiplied by them. Error{data} when the
/// tokens spell nothing of that.
Expression parsed(const std::vector<Token>& tokens);

}  // namespace hone::math
