#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "nn/moe.h"
#include "policies/checkpoint.h"
#include "support/committed_golden.h"
#include "support/golden_tensor.h"

/// What the tests of all architectures share: golden files of transformers, and passes over what they hold.
namespace hone::test {

inline std::filesystem::path golden_checkpoint(const std::string& name) {
  return committed_golden_folder() / "models" / name;
}

/// Calls body(name, golden) for each model of tests/golden/architectures/<family>.json.
template <class Body>
void for_each_model(const std::vector<std::string>& families, const Body& body) {
  for (const std::string& family : families) {
    const Json file = committed_golden("architectures/" + family + ".json");
    for (const auto& [name, golden] : file.at("models").as_object()) {
      CAPTURE(name);
      body(name, golden);
    }
  }
}

inline Ids ids_of(const Json& list) {
  Ids ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

inline at::Tensor rows_of(const Json& list) { return tensor_of(list).to(at::kLong).flatten(); }

/// The gradient of one Hugging Face tensor as it lies in its file.
inline at::Tensor gradient_of(Model& model, const std::string& hf_name) {
  for (const Segment& segment : model.store.segments()) {
    std::int64_t row = 0;
    for (const SegmentPart& part : segment.parts) {
      if (part.hf_name == hf_name) {
        at::Tensor rows = model.store.find(segment.name).grad().narrow(0, row, part.rows);
        if (part.layout.outer * part.layout.inner > 1) {
          rows = rows.reshape({part.layout.inner, part.layout.outer, -1}).transpose(0, 1).reshape(rows.sizes());
        }
        return part.layout.transposed ? rows.t() : rows;
      }
      row += part.rows;
    }
  }
  return {};
}

/// Norm and entries of every gradient within this share of the golden ones; an empty one is zero.
inline void check_gradients(Model& model, const Json& golden, double tolerance = 1e-4) {
  double largest = 0;
  for (const auto& [name, gradient] : golden.as_object()) {
    if (gradient.find("norm") != nullptr) largest = std::max(largest, gradient.at("norm").as_number());
  }
  for (const auto& [hf_name, gradient] : golden.as_object()) {
    CAPTURE(hf_name);
    const at::Tensor ours = gradient_of(model, hf_name);
    REQUIRE(ours.defined());
    const Json* norm = gradient.find("norm");
    if (norm == nullptr) {  // a bias that softmax takes out again: rounding is all there is
      CHECK(ours.norm().item<double>() <= 1e-5 * largest);
      continue;
    }
    CHECK(std::abs(ours.norm().item<double>() - norm->as_number()) <= tolerance * norm->as_number());
    const at::Tensor entries = tensor_of(gradient.at("entries"));
    const at::Tensor found = ours.flatten().index_select(0, entries.select(1, 0).to(at::kLong)).to(at::kDouble);
    CHECK((found - entries.select(1, 1)).abs().max().item<double>() <= tolerance * norm->as_number());
  }
}

/// Several sequences packed, with token types where they have them.
struct PackedInput {
  at::Tensor id_T, type_T;
  kernels::AttentionPlan plan;
};
inline PackedInput packed_input(const std::vector<Json>& sequences) {
  Ids ids, types;
  std::vector<std::int32_t> lengths;
  bool typed = false;
  for (const Json& sequence : sequences) {
    const Ids own = ids_of(sequence.at("ids"));
    ids.insert(ids.end(), own.begin(), own.end());
    lengths.push_back(static_cast<std::int32_t>(own.size()));
    const Json* type_ids = sequence.find("type_ids");
    const Ids own_types = type_ids == nullptr ? Ids(own.size(), 0) : ids_of(*type_ids);
    types.insert(types.end(), own_types.begin(), own_types.end());
    typed = typed || type_ids != nullptr;
  }
  PackedInput input{int_tensor(ids), {}, plan_of(lengths)};
  if (typed) input.type_T = int_tensor(types);
  return input;
}

/// Keys and values of one growing sequence.
class CachedPass {
 public:
  explicit CachedPass(Model& model)
      : model_(model), pages_((model.policy->shape().context + kernels::kv_page - 1) / kernels::kv_page),
        cache_(model.policy->shape().layers, pages_, model.policy->shape().attention) {}

  /// Logits [1, V] behind the last of the new ids.
  at::Tensor operator()(const Ids& ids) {
    const at::NoGradGuard no_grad;
    const auto count = static_cast<std::int32_t>(ids.size());
    kernels::AttentionPlan plan = plan_of({count});
    plan.position_T += past_;
    plan.past_S = int_tensor(Ids{past_});
    plan.page_SN = at::arange(pages_, at::kInt).unsqueeze(0).contiguous();
    past_ += count;
    const at::Tensor hidden = model_.policy->hidden(int_tensor(ids), {.plan = &plan, .cache = &cache_});
    return model_.policy->lm_head().logits(hidden.narrow(0, count - 1, 1).contiguous());
  }

 private:
  Model& model_;
  std::int64_t pages_;
  KvCache cache_;
  std::int32_t past_ = 0;
};

}  // namespace hone::test
