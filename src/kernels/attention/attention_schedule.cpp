#include "kernels/attention/attention_schedule.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/scratch.h"

namespace hone::kernels {

namespace {

std::int64_t blocks_of(std::int64_t tokens) { return (tokens + kv_page - 1) / kv_page; }

/// The offsets, checked to begin at 0, never to fall and to end at `rows`.
const std::int32_t* checked_offsets(const at::Tensor& start_S1, std::int64_t rows) {
  check_ints(start_S1, {start_S1.size(0)});
  HONE_ASSERT(start_S1.size(0) >= 1);
  const std::int32_t* start = start_S1.const_data_ptr<std::int32_t>();
  HONE_ASSERT(start[0] == 0 && std::is_sorted(start, start + start_S1.size(0)));
  HONE_ASSERT(start[start_S1.size(0) - 1] == rows);
  return start;
}

void add_tiles(std::vector<AttentionTile>& tiles, std::int64_t sequence, std::int64_t rows) {
  for (std::int64_t begin = 0; begin < rows; begin += kv_page) {
    tiles.push_back({sequence, begin, std::min(begin + kv_page, rows)});
  }
}

/// Queries of every sequence; their keys are still missing.
AttentionSchedule query_schedule(const AttentionPlan& plan, std::int64_t rows) {
  const std::int32_t* start = checked_offsets(plan.start_S1, rows);
  AttentionSchedule schedule;
  schedule.sequences.reserve(static_cast<std::size_t>(plan.sequences()));
  for (std::int64_t s = 0; s < plan.sequences(); ++s) {
    AttentionSequence sequence{};
    sequence.first_row = start[s];
    sequence.rows = start[s + 1] - start[s];
    schedule.sequences.push_back(sequence);
    add_tiles(schedule.query_tiles, s, sequence.rows);
  }
  return schedule;
}

void add_new_keys(AttentionSchedule& schedule, const at::Tensor& key_start_S1, std::int64_t keys) {
  const std::int32_t* start = checked_offsets(key_start_S1, keys);
  HONE_ASSERT(static_cast<std::size_t>(key_start_S1.size(0)) == schedule.sequences.size() + 1);
  for (std::size_t s = 0; s < schedule.sequences.size(); ++s) {
    AttentionSequence& sequence = schedule.sequences[s];
    sequence.first_key = start[s];
    sequence.keys = start[s + 1] - start[s];
    HONE_ASSERT(sequence.rows == 0 || sequence.keys > 0);
    add_tiles(schedule.key_tiles, static_cast<std::int64_t>(s), sequence.keys);
  }
}

}  // namespace

void check_floats(const at::Tensor& tensor, at::IntArrayRef sizes) {
  HONE_ASSERT(tensor.scalar_type() == at::kFloat && tensor.is_contiguous() && tensor.device().is_cpu());
  HONE_ASSERT(tensor.sizes() == sizes);
}

void check_ints(const at::Tensor& tensor, at::IntArrayRef sizes) {
  HONE_ASSERT(tensor.scalar_type() == at::kInt && tensor.is_contiguous() && tensor.device().is_cpu());
  HONE_ASSERT(tensor.sizes() == sizes);
}

void check_pages(const KvPages& pages, const AttentionShape& shape) {
  const std::int64_t count = pages.key_PHDB.size(0);
  check_floats(pages.key_PHDB, {count, shape.kv_heads, shape.head_dim, kv_page});
  check_floats(pages.value_PHBD, {count, shape.kv_heads, kv_page, shape.head_dim});
}

AttentionSchedule self_schedule(const AttentionPlan& plan, std::int64_t rows) {
  AttentionSchedule schedule = query_schedule(plan, rows);
  if (plan.cached()) check_ints(plan.past_S, {plan.sequences()});
  const std::int32_t* past = plan.cached() ? plan.past_S.const_data_ptr<std::int32_t>() : nullptr;
  for (std::size_t s = 0; s < schedule.sequences.size(); ++s) {
    AttentionSequence& sequence = schedule.sequences[s];
    sequence.first_key = sequence.first_row;
    sequence.past = past == nullptr ? 0 : past[s];
    sequence.keys = sequence.past + sequence.rows;
    HONE_ASSERT(sequence.past >= 0);
  }
  schedule.key_tiles = schedule.query_tiles;
  return schedule;
}

AttentionSchedule cross_schedule(const AttentionPlan& plan, std::int64_t rows, std::int64_t keys) {
  AttentionSchedule schedule = query_schedule(plan, rows);
  add_new_keys(schedule, plan.key_start_S1, keys);
  return schedule;
}

AttentionSchedule cached_cross_schedule(const AttentionPlan& plan, std::int64_t rows) {
  AttentionSchedule schedule = query_schedule(plan, rows);
  check_ints(plan.key_length_S, {plan.sequences()});
  const std::int32_t* length = plan.key_length_S.const_data_ptr<std::int32_t>();
  for (std::size_t s = 0; s < schedule.sequences.size(); ++s) {
    schedule.sequences[s].keys = length[s];
    HONE_ASSERT(length[s] >= 0 && (schedule.sequences[s].rows == 0 || length[s] > 0));
  }
  return schedule;
}

AttentionSchedule store_schedule(const AttentionPlan& plan, std::int64_t keys) {
  AttentionSchedule schedule;
  HONE_ASSERT(plan.key_start_S1.dim() == 1 && plan.key_start_S1.size(0) >= 1);
  schedule.sequences.resize(static_cast<std::size_t>(plan.key_start_S1.size(0) - 1), AttentionSequence{});
  add_new_keys(schedule, plan.key_start_S1, keys);
  return schedule;
}

void place_in_pages(AttentionSchedule& schedule, const AttentionPlan& plan, const KvPages& pages) {
  const std::int64_t columns = plan.page_SN.size(1);
  const std::int64_t page_count = pages.key_PHDB.size(0);
  check_ints(plan.page_SN, {static_cast<std::int64_t>(schedule.sequences.size()), columns});
  const std::int32_t* page = plan.page_SN.const_data_ptr<std::int32_t>();
  for (AttentionSequence& sequence : schedule.sequences) {
    sequence.pages = page;
    page += columns;
    const std::int64_t needed = blocks_of(sequence.keys);
    HONE_ASSERT(needed <= columns);
    HONE_ASSERT(
        std::all_of(sequence.pages, sequence.pages + needed, [&](std::int32_t p) { return p >= 0 && p < page_count; }));
  }
}

void place_in_scratch(AttentionSchedule& schedule, AttentionArguments& arguments) {
  thread_local Scratch keys;
  thread_local Scratch values;
  std::int64_t blocks = 0;
  for (const AttentionSequence& sequence : schedule.sequences) blocks += blocks_of(sequence.keys);
  schedule.identity.resize(static_cast<std::size_t>(blocks));
  std::iota(schedule.identity.begin(), schedule.identity.end(), 0);
  const std::int32_t* pages = schedule.identity.data();
  for (AttentionSequence& sequence : schedule.sequences) {
    sequence.pages = pages;
    pages += blocks_of(sequence.keys);
  }
  const std::int64_t floats = blocks * kv_page * arguments.kv_heads * arguments.head_dim;
  arguments.keys = keys.reserve<float>(floats);
  arguments.values = values.reserve<float>(floats);
}

AttentionArguments plan_arguments(const AttentionShape& shape, const AttentionPlan& plan) {
  HONE_ASSERT(shape.heads >= 1 && shape.kv_heads >= 1 && shape.head_dim >= 1 && shape.heads % shape.kv_heads == 0);
  HONE_ASSERT(plan.window >= 0 && plan.soft_cap >= 0);
  AttentionArguments arguments{};
  arguments.heads = shape.heads;
  arguments.kv_heads = shape.kv_heads;
  arguments.head_dim = shape.head_dim;
  arguments.window = plan.window;
  arguments.causal = plan.kind == AttentionKind::causal;
  const double scale = plan.scale != 0 ? plan.scale : 1.0 / std::sqrt(static_cast<double>(shape.head_dim));
  arguments.scale = static_cast<float>(scale);
  arguments.soft_cap = static_cast<float>(plan.soft_cap);
  if (plan.bias_HR.defined()) {
    HONE_ASSERT(plan.bias_HR.dim() == 2 && plan.bias_HR.size(1) % 2 == 1);
    check_floats(plan.bias_HR, {shape.heads, plan.bias_HR.size(1)});
    arguments.bias = plan.bias_HR.const_data_ptr<float>();
    arguments.bias_reach = plan.bias_HR.size(1) / 2;
  }
  return arguments;
}

AttentionArguments self_arguments(const at::Tensor& qkv_TC, const AttentionShape& shape, const AttentionPlan& plan) {
  AttentionArguments arguments = plan_arguments(shape, plan);
  check_floats(qkv_TC, {qkv_TC.size(0), shape.fused_width()});
  arguments.query = qkv_TC.const_data_ptr<float>();
  arguments.query_stride = shape.fused_width();
  arguments.key = arguments.query + shape.query_width();
  arguments.value = arguments.key + shape.kv_heads * shape.head_dim;
  arguments.key_stride = shape.fused_width();
  return arguments;
}

AttentionArguments cross_arguments(const at::Tensor& q_TE, const at::Tensor& kv_UC, const AttentionShape& shape,
                                   const AttentionPlan& plan) {
  HONE_ASSERT(plan.window == 0 && !plan.bias_HR.defined());
  AttentionArguments arguments = plan_arguments(shape, plan);
  arguments.causal = false;
  if (q_TE.defined()) {
    check_floats(q_TE, {q_TE.size(0), shape.query_width()});
    arguments.query = q_TE.const_data_ptr<float>();
    arguments.query_stride = shape.query_width();
  }
  if (kv_UC.defined()) {
    check_floats(kv_UC, {kv_UC.size(0), shape.key_value_width()});
    arguments.key = kv_UC.const_data_ptr<float>();
    arguments.value = arguments.key + shape.kv_heads * shape.head_dim;
    arguments.key_stride = shape.key_value_width();
  }
  return arguments;
}

void store_all(const AttentionArguments& arguments, const AttentionSchedule& schedule) {
  const auto kernel = HONE_SELECT(attention_store);
  const auto units = static_cast<std::int64_t>(schedule.key_tiles.size()) * arguments.kv_heads;
  parallel_for(units, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t unit = begin; unit < end; ++unit) {
      const AttentionTile& tile = schedule.key_tiles[static_cast<std::size_t>(unit / arguments.kv_heads)];
      kernel(arguments, schedule.sequences[static_cast<std::size_t>(tile.sequence)], unit % arguments.kv_heads,
             tile.begin, tile.end);
    }
  });
}

void attend_all(const AttentionArguments& arguments, const AttentionSchedule& schedule) {
  const auto kernel = HONE_SELECT(attention_attend);
  const auto units = static_cast<std::int64_t>(schedule.query_tiles.size()) * arguments.kv_heads;
  parallel_for(units, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t unit = begin; unit < end; ++unit) {
      const AttentionTile& tile = schedule.query_tiles[static_cast<std::size_t>(unit / arguments.kv_heads)];
      kernel(arguments, schedule.sequences[static_cast<std::size_t>(tile.sequence)], unit % arguments.kv_heads,
             tile.begin, tile.end);
    }
  });
}

}  // namespace hone::kernels
