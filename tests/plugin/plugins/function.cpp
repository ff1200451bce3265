// The short form: one function. Also what it throws.
#include <hone/plugin.hpp>

static double score(const hone::plugin::Item& item) {
  if (!item.answer) throw std::runtime_error("the prompt has no answer");
  if (item.completion == "throw a number") throw 7;
  return item.completion == *item.answer ? 1.0 : 0.0;
}

HONE_REWARD("function", score)
