#pragma once

#include "stages/grpo.h"

/// Named relatives of GRPO: other defaults of the same fields. Every one is described in docs/stages/grpo.md and on a
/// page of its own.
namespace hone {

/// Liu et al. 2025, "Understanding R1-Zero-like training": no deviation, a constant length.
struct DrGrpoSpec : GrpoSpec {
  DrGrpoSpec();
};

/// Ahmadian et al. 2024, "Back to basics": the mean of the others, the divergence in the reward.
struct RlooSpec : GrpoSpec {
  RlooSpec();
};

/// Hu 2025: single answers, the divergence in the reward of each token, advantages whitened over the batch.
struct ReinforcePlusPlusSpec : GrpoSpec {
  ReinforcePlusPlusSpec();
};

/// Li et al. 2023: single answers compared with the greedy one.
struct RemaxSpec : GrpoSpec {
  RemaxSpec();
};

/// Zheng et al. 2025, "Group sequence policy optimization": one ratio an episode.
struct GspoSpec : GrpoSpec {
  GspoSpec();
};

/// MiniMax 2025: clipped ratios as constant factors.
struct CispoSpec : GrpoSpec {
  CispoSpec();
};

/// Yu et al. 2025: a higher upper clip and groups that teach something.
struct DapoSpec : GrpoSpec {
  DapoSpec();
};

/// Gao et al. 2025, "Soft adaptive policy optimization": clipping that fades.
struct SapoSpec : GrpoSpec {
  SapoSpec();
};

/// Liu et al. 2026: each reward compared by itself.
struct GdpoSpec : GrpoSpec {
  GdpoSpec();
};

}  // namespace hone
