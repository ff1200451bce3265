#include "nn/declare.h"

#include <utility>

namespace hone {

namespace {

std::int64_t total_rows(const std::vector<SegmentPart>& parts) {
  std::int64_t rows = 0;
  for (const SegmentPart& part : parts) rows += part.rows;
  return rows;
}

Parameter declare_vector(ParameterStore& store, const std::string& name, std::vector<SegmentPart> parts, double value,
                         SegmentRole role) {
  const std::int64_t rows = total_rows(parts);
  return store.add({.name = name,
                    .shape = {rows},
                    .parts = std::move(parts),
                    .init = constant_init(value),
                    .role = role,
                    .decay = false});
}

}  // namespace

Parameter declare_matrix(ParameterStore& store, const std::string& name, std::vector<SegmentPart> parts,
                         std::int64_t columns, double deviation, SegmentRole role) {
  const std::int64_t rows = total_rows(parts);
  return store.add({.name = name,
                    .shape = {rows, columns},
                    .parts = std::move(parts),
                    .init = normal_init(deviation),
                    .role = role,
                    .matrix = true});
}

Parameter declare_table(ParameterStore& store, const std::string& name, const std::string& hf_name, std::int64_t rows,
                        std::int64_t columns, double deviation, bool multiplies) {
  return store.add({.name = name,
                    .shape = {rows, columns},
                    .parts = {{hf_name, rows, {}}},
                    .init = normal_init(deviation),
                    .matrix = multiplies,
                    .lookup = true});
}

Parameter declare_bias(ParameterStore& store, const std::string& name, std::vector<SegmentPart> parts,
                       SegmentRole role) {
  return declare_vector(store, name, std::move(parts), 0, role);
}

Norm declare_rms_norm(ParameterStore& store, const std::string& name, const std::string& hf_module, std::int64_t size,
                      double eps, double weight_offset) {
  return {.kind = NormKind::rms,
          .weight_D = declare_vector(store, name, {{hf_module + ".weight", size, {}}}, 1 - weight_offset,
                                     SegmentRole::trunk),
          .eps = eps,
          .weight_offset = weight_offset};
}

Norm declare_layer_norm(ParameterStore& store, const std::string& name, const std::string& hf_module,
                        std::int64_t size, double eps, bool with_bias, SegmentRole role) {
  Norm norm{.kind = NormKind::layer, .eps = eps};
  norm.weight_D = declare_vector(store, name, {{hf_module + ".weight", size, {}}}, 1, role);
  if (with_bias) norm.bias_D = declare_vector(store, name + ".bias", {{hf_module + ".bias", size, {}}}, 0, role);
  return norm;
}

}  // namespace hone
