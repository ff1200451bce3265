#include "nn/heads.h"

#include <cmath>

namespace hone {

Head::Head(ParameterStore& store, HeadKind kind, std::int64_t hidden, std::int64_t outputs)
    : kind_(kind), outputs_(outputs) {
  const std::string name = kind == HeadKind::value ? "value" : "score";
  const SegmentRole role = kind == HeadKind::value ? SegmentRole::critic : SegmentRole::head;
  const Init init = kind == HeadKind::value ? constant_init(0)
                                            : normal_init(1.0 / std::sqrt(static_cast<double>(hidden) + 1.0));
  weight_ = store.add({.name = name,
                       .shape = {outputs, hidden},
                       .parts = {{name + ".weight", outputs}},
                       .init = init,
                       .role = role,
                       .matrix = true});
  if (kind == HeadKind::value) {
    bias_ = store.add({.name = name + ".bias",
                       .shape = {outputs},
                       .parts = {{name + ".bias", outputs}},
                       .init = constant_init(0),
                       .role = role,
                       .decay = false});
  }
}

}  // namespace hone
