#include "optim/update_rule.h"

#include <array>
#include <cstddef>

namespace hone {

namespace {

using Make = std::unique_ptr<UpdateRule> (*)(const RuleInputs&);

/// In the order of RuleKind and rule_names.
constexpr std::array<Make, rule_names.size()> rules = {make_adamw, make_adafactor, make_lion, make_muon, make_sgd};

}  // namespace

std::unique_ptr<UpdateRule> make_update_rule(const RuleInputs& inputs) {
  return rules[static_cast<std::size_t>(inputs.config.rule)](inputs);
}

}  // namespace hone
