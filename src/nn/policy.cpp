#include "nn/policy.h"

namespace hone {

HeadForm Policy::head_form(HeadKind kind) const {
  switch (kind) {
    case HeadKind::value: return {.linear = "value", .bias = true, .rows = HeadRows::all};
    case HeadKind::reward:
    case HeadKind::classes: return {};
    case HeadKind::tokens: return {.bias = true, .rows = HeadRows::all};
    case HeadKind::spans: return {.linear = "qa_outputs", .bias = true, .rows = HeadRows::all};
  }
  fail(ErrorKind::internal, "a head of no kind");
}

std::string hf_class_of(std::string_view family, std::string_view lm_class, std::optional<HeadKind> kind) {
  if (!kind) return std::string(lm_class);
  switch (*kind) {
    case HeadKind::tokens: return fmt::format("{}ForTokenClassification", family);
    case HeadKind::spans: return fmt::format("{}ForQuestionAnswering", family);
    default: return fmt::format("{}ForSequenceClassification", family);
  }
}

at::Tensor Policy::encode(const at::Tensor&, const Forward&) {
  fail(ErrorKind::internal, "this policy has no encoder of its own");
}

void Policy::store_source(const SourceSide&) { fail(ErrorKind::internal, "this policy has no encoder of its own"); }

}  // namespace hone
