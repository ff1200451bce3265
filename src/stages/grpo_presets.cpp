#include "stages/grpo_presets.h"

namespace hone {

DrGrpoSpec::DrGrpoSpec() {
  group.baseline = GroupBaseline::dr_grpo;
  rl.aggregation = Aggregation::constant_length;
}

RlooSpec::RlooSpec() {
  group.baseline = GroupBaseline::rloo;
  rl.samples = 4;
  rl.kl.place = KlPlace::reward;
}

ReinforcePlusPlusSpec::ReinforcePlusPlusSpec() {
  group.baseline = GroupBaseline::none;
  credit = Credit::to_come;
  whiten = Whiten::tokens;
  rl.samples = 1;
  rl.kl.place = KlPlace::reward;
  rl.kl.coefficient = 0.01;
}

RemaxSpec::RemaxSpec() {
  group.baseline = GroupBaseline::greedy;
  credit = Credit::to_come;
  rl.samples = 1;
}

GspoSpec::GspoSpec() {
  rl.ratio = RatioLevel::sequence;
  rl.clip_low = 3e-4;
  rl.clip_high = 4e-4;
  rl.aggregation = Aggregation::sequence_mean;
}

CispoSpec::CispoSpec() {
  rl.clip = ClipKind::detached;
  rl.clip_low = 1;
  rl.clip_high = 4;
}

DapoSpec::DapoSpec() {
  rl.samples = 16;
  rl.clip_high = 0.28;
  rl.dynamic_sampling = 10;
}

SapoSpec::SapoSpec() {
  rl.clip = ClipKind::soft;
  rl.aggregation = Aggregation::sequence_mean;
}

GdpoSpec::GdpoSpec() {
  compare = CompareRewards::each;
  whiten = Whiten::episodes;
}

}  // namespace hone
