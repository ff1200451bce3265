#include <algorithm>

#include "base/threads.h"
#include "kernels/attention/attention_schedule.h"
#include "kernels/scratch.h"

namespace hone::kernels {

namespace {

/// Blocks at the beginning of both sequences that are the same pages and that every query of both sees whole.
std::int64_t common_blocks(const AttentionArguments& arguments, const AttentionSequence& a, const AttentionSequence& b) {
  if (arguments.window > 0) return 0;
  const bool grows = arguments.key != nullptr;  // the block of a new key is a sequence's own
  const std::int64_t most = (grows ? std::min(a.past, b.past) : std::min(a.keys, b.keys)) / kv_page;
  return std::mismatch(a.pages, a.pages + most, b.pages).first - a.pages;
}

/// Neighbours join a group as long as they share all that its first two share.
std::vector<AttentionGroup> groups_of(const AttentionArguments& arguments, const AttentionSchedule& schedule) {
  const std::int64_t most = attention_group_rows / (arguments.heads / arguments.kv_heads);
  std::vector<AttentionGroup> groups;
  for (const AttentionSequence& sequence : schedule.sequences) {
    if (!groups.empty() && groups.back().count < most) {
      AttentionGroup& group = groups.back();
      const std::int64_t common = common_blocks(arguments, group.sequences[0], sequence);
      if (common > 0 && (group.count == 1 || common >= group.shared)) {
        group.shared = group.count == 1 ? common : group.shared;
        ++group.count;
        continue;
      }
    }
    groups.push_back({&sequence, 1, 0});
  }
  return groups;
}

}  // namespace

bool decodes(const AttentionArguments& arguments, const AttentionSchedule& schedule) {
  return arguments.heads / arguments.kv_heads <= attention_group_rows && arguments.lse == nullptr &&
         std::ranges::all_of(schedule.sequences, [](const AttentionSequence& sequence) { return sequence.rows == 1; });
}

void decode_all(const AttentionArguments& arguments, const AttentionSchedule& schedule) {
  const auto kernel = HONE_SELECT(attention_decode);
  const std::vector<AttentionGroup> groups = groups_of(arguments, schedule);
  const auto units = static_cast<std::int64_t>(groups.size()) * arguments.kv_heads;
  parallel_for(units, 1, [&](std::int64_t begin, std::int64_t end) {
    thread_local Scratch scratch;
    kernel(arguments, groups.data(), begin, end,
           scratch.reserve<float>(2 * attention_group_rows * arguments.head_dim));
  });
}

}  // namespace hone::kernels
