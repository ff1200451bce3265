#include "stages/model_kind.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace hone {

namespace {

std::string_view kind_name(PolicyKind kind) {
  switch (kind) {
    case PolicyKind::decoder: return "a causal decoder";
    case PolicyKind::encoder: return "an encoder";
    case PolicyKind::encoder_decoder: return "an encoder-decoder model";
  }
  fail(ErrorKind::internal, "a policy of no kind");
}

}  // namespace

void require_kind(const Run& run, std::string_view stage, std::initializer_list<PolicyKind> kinds,
                  std::string_view advice) {
  const PolicyKind found = run.model->policy->shape().kind;
  if (std::find(kinds.begin(), kinds.end(), found) != kinds.end()) return;
  std::string expected;
  for (const PolicyKind kind : kinds) expected += (expected.empty() ? "" : " or ") + std::string(kind_name(kind));
  fail(ErrorKind::config, "stages.{}: expected {}, and the model ({}) is {}; {}", stage, expected, run.policy->kind,
       kind_name(found), advice);
}

ModelInput input_of(const Model& model) {
  const PolicyShape& shape = model.policy->shape();
  ModelInput input(shape.context);
  if (shape.kind == PolicyKind::encoder_decoder) input.decoder_start = shape.decoder_start;
  const Json config = model.policy->hf_config();
  const Json* types = config.find("type_vocab_size");
  input.token_types = types != nullptr && types->as_integer() > 1;
  return input;
}

}  // namespace hone
