#include "kernels/attention/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/attention/attention_cpu.h"
#include "kernels/scratch.h"

namespace hone::kernels {

namespace {

constexpr std::int64_t tile_rows = 32;

void check_floats(const at::Tensor& tensor, at::IntArrayRef sizes) {
  HONE_ASSERT(tensor.scalar_type() == at::kFloat && tensor.is_contiguous() && tensor.device().is_cpu());
  HONE_ASSERT(tensor.sizes() == sizes);
}

void check_ints(const at::Tensor& tensor, at::IntArrayRef sizes) {
  HONE_ASSERT(tensor.scalar_type() == at::kInt && tensor.is_contiguous() && tensor.device().is_cpu());
  HONE_ASSERT(tensor.sizes() == sizes);
}

std::int64_t blocks_of(std::int64_t tokens) { return (tokens + kv_page - 1) / kv_page; }

/// A tile of at most tile_rows consecutive new rows of one sequence: with a key-value head, one unit of parallel work.
struct Tile {
  std::int64_t sequence;
  std::int64_t begin;
  std::int64_t end;
};

struct Schedule {
  std::vector<AttentionSequence> sequences;
  std::vector<Tile> tiles;
  std::vector<std::int32_t> identity;  ///< pages of sequences without a cache
  std::int64_t blocks = 0;
  bool one_tile_each = true;
};

Schedule schedule_of(const AttentionPlan& plan, const AttentionShape& shape, const at::Tensor& qkv_TC) {
  HONE_ASSERT(shape.heads >= 1 && shape.kv_heads >= 1 && shape.head_dim >= 1 && shape.heads % shape.kv_heads == 0);
  HONE_ASSERT(plan.window >= 0);
  check_ints(plan.start_S1, {plan.start_S1.size(0)});
  HONE_ASSERT(plan.start_S1.size(0) >= 1);
  const std::int32_t* start = plan.start_S1.const_data_ptr<std::int32_t>();
  HONE_ASSERT(start[0] == 0);
  check_floats(qkv_TC, {start[plan.sequences()], shape.fused_width()});
  Schedule schedule;
  schedule.sequences.reserve(static_cast<std::size_t>(plan.sequences()));
  for (std::int64_t s = 0; s < plan.sequences(); ++s) {
    const std::int64_t rows = start[s + 1] - start[s];
    HONE_ASSERT(rows >= 0);
    schedule.sequences.push_back({start[s], rows, 0, nullptr});
    schedule.one_tile_each = schedule.one_tile_each && rows <= tile_rows;
    for (std::int64_t begin = 0; begin < rows; begin += tile_rows) {
      schedule.tiles.push_back({s, begin, std::min(begin + tile_rows, rows)});
    }
  }
  return schedule;
}

/// Training: every sequence gets consecutive pages of a scratch buffer.
void place_in_scratch(Schedule& schedule) {
  for (const AttentionSequence& sequence : schedule.sequences) schedule.blocks += blocks_of(sequence.rows);
  schedule.identity.resize(static_cast<std::size_t>(schedule.blocks));
  std::iota(schedule.identity.begin(), schedule.identity.end(), 0);
  const std::int32_t* pages = schedule.identity.data();
  for (AttentionSequence& sequence : schedule.sequences) {
    sequence.pages = pages;
    pages += blocks_of(sequence.rows);
  }
}

void place_in_cache(Schedule& schedule, const AttentionPlan& plan, std::int64_t page_count) {
  check_ints(plan.past_S, {plan.sequences()});
  check_ints(plan.page_SN, {plan.sequences(), plan.page_SN.size(1)});
  const std::int32_t* past = plan.past_S.const_data_ptr<std::int32_t>();
  const std::int32_t* pages = plan.page_SN.const_data_ptr<std::int32_t>();
  for (std::size_t s = 0; s < schedule.sequences.size(); ++s) {
    AttentionSequence& sequence = schedule.sequences[s];
    sequence.past = past[s];
    sequence.pages = pages + static_cast<std::int64_t>(s) * plan.page_SN.size(1);
    const std::int64_t needed = blocks_of(sequence.past + sequence.rows);
    HONE_ASSERT(sequence.past >= 0 && needed <= plan.page_SN.size(1));
    HONE_ASSERT(std::all_of(sequence.pages, sequence.pages + needed,
                            [&](std::int32_t page) { return page >= 0 && page < page_count; }));
  }
}

AttentionArguments arguments_of(const at::Tensor& qkv_TC, const AttentionShape& shape, const AttentionPlan& plan) {
  AttentionArguments arguments{};
  arguments.heads = shape.heads;
  arguments.kv_heads = shape.kv_heads;
  arguments.head_dim = shape.head_dim;
  arguments.window = plan.window;
  arguments.causal = plan.kind == AttentionKind::causal;
  arguments.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(shape.head_dim)));
  arguments.qkv = qkv_TC.const_data_ptr<float>();
  return arguments;
}

/// Writes new keys and values, then attends. A sequence of one tile does both in one go; otherwise all keys are written
/// before any row attends.
void run(const AttentionArguments& arguments, const Schedule& schedule) {
  const auto store = HONE_SELECT(attention_store);
  const auto attend = HONE_SELECT(attention_attend);
  const bool together = schedule.one_tile_each;
  const auto units = static_cast<std::int64_t>(schedule.tiles.size()) * arguments.kv_heads;
  const auto over_units = [&](bool stores, bool attends) {
    parallel_for(units, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t unit = begin; unit < end; ++unit) {
        const Tile& tile = schedule.tiles[static_cast<std::size_t>(unit / arguments.kv_heads)];
        const AttentionSequence& sequence = schedule.sequences[static_cast<std::size_t>(tile.sequence)];
        const std::int64_t head = unit % arguments.kv_heads;
        if (stores) store(arguments, sequence, head, tile.begin, tile.end);
        if (attends) attend(arguments, sequence, head, tile.begin, tile.end);
      }
    });
  };
  if (!together) over_units(true, false);
  over_units(together, true);
}

}  // namespace

KvPages make_kv_pages(std::int64_t pages, const AttentionShape& shape) {
  HONE_ASSERT(pages >= 0);
  return {at::empty({pages, shape.kv_heads, shape.head_dim, kv_page}, at::kFloat),
          at::empty({pages, shape.kv_heads, kv_page, shape.head_dim}, at::kFloat)};
}

void copy_kv_page(KvPages& pages, std::int64_t from, std::int64_t to) {
  for (at::Tensor* tensor : {&pages.key_PHDB, &pages.value_PHBD}) {
    HONE_ASSERT(from >= 0 && from < tensor->size(0) && to >= 0 && to < tensor->size(0));
    const std::int64_t page = tensor->stride(0);
    float* data = tensor->data_ptr<float>();
    if (from != to) std::memcpy(data + to * page, data + from * page, static_cast<std::size_t>(page) * sizeof(float));
  }
}

AttentionResult attention_forward(const at::Tensor& qkv_TC, const AttentionShape& shape, const AttentionPlan& plan) {
  HONE_ASSERT(!plan.cached());
  Schedule schedule = schedule_of(plan, shape, qkv_TC);
  place_in_scratch(schedule);
  const std::int64_t floats = schedule.blocks * kv_page * shape.kv_heads * shape.head_dim;
  thread_local Scratch key_scratch;
  thread_local Scratch value_scratch;
  AttentionResult result;
  result.out_TE = at::empty({qkv_TC.size(0), shape.query_width()}, at::kFloat);
  result.lse_TH = at::empty({qkv_TC.size(0), shape.heads}, at::kFloat);
  AttentionArguments arguments = arguments_of(qkv_TC, shape, plan);
  arguments.keys = key_scratch.reserve<float>(floats);
  arguments.values = value_scratch.reserve<float>(floats);
  arguments.out = result.out_TE.data_ptr<float>();
  arguments.lse = result.lse_TH.data_ptr<float>();
  run(arguments, schedule);
  return result;
}

at::Tensor attention_cached(const at::Tensor& qkv_TC, const AttentionShape& shape, const AttentionPlan& plan,
                            KvPages& pages) {
  HONE_ASSERT(plan.cached());
  Schedule schedule = schedule_of(plan, shape, qkv_TC);
  const std::int64_t page_count = pages.key_PHDB.size(0);
  check_floats(pages.key_PHDB, {page_count, shape.kv_heads, shape.head_dim, kv_page});
  check_floats(pages.value_PHBD, {page_count, shape.kv_heads, kv_page, shape.head_dim});
  place_in_cache(schedule, plan, page_count);
  at::Tensor out_TE = at::empty({qkv_TC.size(0), shape.query_width()}, at::kFloat);
  AttentionArguments arguments = arguments_of(qkv_TC, shape, plan);
  arguments.keys = pages.key_PHDB.data_ptr<float>();
  arguments.values = pages.value_PHBD.data_ptr<float>();
  arguments.out = out_TE.data_ptr<float>();
  run(arguments, schedule);
  return out_TE;
}

at::Tensor attention_backward(const at::Tensor& dout_TE, const at::Tensor& qkv_TC, const AttentionResult& forward,
                              const AttentionShape& shape, const AttentionPlan& plan) {
  HONE_ASSERT(!plan.cached());
  const Schedule schedule = schedule_of(plan, shape, qkv_TC);
  const std::int64_t rows = qkv_TC.size(0);
  check_floats(dout_TE, {rows, shape.query_width()});
  check_floats(forward.out_TE, {rows, shape.query_width()});
  check_floats(forward.lse_TH, {rows, shape.heads});
  at::Tensor dqkv_TC = at::empty({rows, shape.fused_width()}, at::kFloat);
  AttentionGradient gradient{arguments_of(qkv_TC, shape, plan), dout_TE.const_data_ptr<float>(),
                             dqkv_TC.data_ptr<float>()};
  // The kernel only reads these two.
  gradient.forward.out = const_cast<float*>(forward.out_TE.const_data_ptr<float>());
  gradient.forward.lse = const_cast<float*>(forward.lse_TH.const_data_ptr<float>());
  const auto kernel = HONE_SELECT(attention_backward_sequence);
  const auto units = static_cast<std::int64_t>(schedule.sequences.size()) * shape.kv_heads;
  parallel_for(units, 1, [&](std::int64_t begin, std::int64_t end) {
    thread_local Scratch transposed;
    float* scratch = transposed.reserve<float>(2 * kv_page * shape.head_dim);
    for (std::int64_t unit = begin; unit < end; ++unit) {
      kernel(gradient, schedule.sequences[static_cast<std::size_t>(unit / shape.kv_heads)], unit % shape.kv_heads,
             scratch);
    }
  });
  return dqkv_TC;
}

}  // namespace hone::kernels
