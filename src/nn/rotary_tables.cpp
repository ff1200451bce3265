#include "nn/rotary_tables.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"

namespace hone {

namespace {

/// Tokens up to which the frequencies are those of short sequences; 0: always.
std::int64_t switch_of(const RopeScaling& rope, std::int64_t context) {
  if (rope.type == RopeType::dynamic) return rope.max_positions;
  return rope.type == RopeType::longrope && rope.original_positions < context ? rope.original_positions : 0;
}

}  // namespace

RotaryTables::RotaryTables(std::vector<RopeScaling> ropes, std::int64_t head_dim, std::int64_t context)
    : ropes_(std::move(ropes)), head_dim_(head_dim), context_(context) {
  for (const RopeScaling& rope : ropes_) {
    if (rope.type == RopeType::dynamic) {
      dynamic_ = true;
      const double reached = rope.factor * static_cast<double>(rope.max_positions);
      context_ = std::max(context_, static_cast<std::int64_t>(reached));
    }
    const std::int64_t length = switch_of(rope, context);
    if (length > 0 && switch_length_ > 0 && length != switch_length_) {
      fail(ErrorKind::data,
           "config.json: the rotary embeddings of one kind of layer change beyond {} tokens, those of another beyond {}: "
           "expected the same length",
           switch_length_, length);
    }
    switch_length_ = std::max(switch_length_, length);
  }
  if (dynamic_ && context_ <= switch_length_) switch_length_ = 0;  // a factor of 1 reaches no further
  for (const RopeScaling& rope : ropes_) tables_.push_back(rope_table(rope, head_dim_, context_));
  if (switch_length_ > 0 && !dynamic_) append_table(context_, tables_);
}

/// The frequencies of sequences of `length` tokens, behind what is there.
void RotaryTables::append_table(std::int64_t length, std::vector<at::Tensor>& tables) const {
  for (std::size_t i = 0; i < ropes_.size(); ++i) {
    tables[i] = at::cat({tables[i], rope_table(ropes_[i], head_dim_, length, length)});
  }
}

RotaryPass RotaryTables::pass(const kernels::AttentionPlan& plan) const {
  RotaryPass pass{plan, tables_};
  if (switch_length_ == 0) return pass;
  pass.plan.position_T = plan.position_T.clone();
  std::map<std::int64_t, std::int64_t> first_row;  // of a length's own frequencies
  const auto* start = plan.start_S1.const_data_ptr<std::int32_t>();
  for (std::int64_t s = 0; s < plan.sequences(); ++s) {
    const std::int64_t past = plan.cached() ? plan.past_S.const_data_ptr<std::int32_t>()[s] : 0;
    const std::int64_t rows = start[s + 1] - start[s];
    const std::int64_t length = past + rows;
    if (length <= switch_length_) continue;
    std::int64_t first = context_;
    if (dynamic_) {
      if (past > 0) {
        fail(ErrorKind::data,
             "a sequence grows to {} tokens, but this model turns each sequence of more than {} by frequencies of its own "
             "length (rotary type dynamic): give prompts of fewer than {} tokens",
             length, switch_length_, switch_length_);
      }
      const auto [place, is_new] = first_row.emplace(length, pass.tables[0].size(0));
      if (is_new) append_table(length, pass.tables);
      first = place->second;
    }
    pass.plan.position_T.narrow(0, start[s], rows).add_(first);
  }
  return pass;
}

}  // namespace hone
