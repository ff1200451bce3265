#include "kernels/attention/attention_cpu.h"

#include <string.h>

#include "kernels/attention/attention_row.h"
#include "kernels/attention/attention_score.h"

namespace hone::kernels::HONE_ISA {

namespace {

/// out += weights · values. Rows are handled together on the keys that all of them see, alone on the others: a row
/// never reads a value that it does not see, and its chain over keys is the same in any company.
void add_values(const float* score, const VisibleKeys* seen, const RowState* state, int64_t rows, const float* values,
                int64_t head_dim, int64_t out_stride) {
  for (int64_t r = 0; r < rows; r += value_tile) {
    const int64_t count = rows - r < value_tile ? rows - r : value_tile;
    VisibleKeys common = seen[r];
    for (int64_t i = 1; i < count; ++i) {
      if (seen[r + i].begin > common.begin) common.begin = seen[r + i].begin;
      if (seen[r + i].end < common.end) common.end = seen[r + i].end;
    }
    if (common.begin >= common.end) common = {block_keys, block_keys};
    const float* weight = score + r * block_keys;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t end = seen[r + i].end < common.begin ? seen[r + i].end : common.begin;
      accumulate_rows<1>({weight + i * block_keys, block_keys, 1}, seen[r + i].begin, end, values, head_dim, head_dim,
                         state[r + i].out, out_stride);
    }
    if (common.begin == block_keys) continue;
    block_accumulate({weight, block_keys, 1}, count, common.begin, common.end, values, head_dim, head_dim, state[r].out,
                     out_stride);
    for (int64_t i = 0; i < count; ++i) {
      accumulate_rows<1>({weight + i * block_keys, block_keys, 1}, common.end, seen[r + i].end, values, head_dim,
                         head_dim, state[r + i].out, out_stride);
    }
  }
}

/// Begins to load a block of keys or values, which the loops of a few queries would wait for.
void fetch(const float* block, int64_t head_dim) {
  for (int64_t i = 0; i < head_dim * block_keys; i += 16) __builtin_prefetch(block + i, 0, 2);
}

/// The rows that see any key of block `block`, with what each sees of it.
struct BlockRows {
  int64_t first;
  int64_t last;
  VisibleKeys seen[block_keys];
};

/// Visible ranges move with the position, so the rows that see a block are consecutive.
void find_rows(const RowState* state, int64_t rows, int64_t block, BlockRows& found) {
  found.first = 0;
  found.last = 0;
  for (int64_t r = 0; r < rows; ++r) {
    found.seen[r] = within_block(state[r].visible, block * block_keys);
    if (found.seen[r].begin >= found.seen[r].end) continue;
    if (found.last == 0) found.first = r;
    found.last = r + 1;
  }
}

/// Attends with `rows` ≤ 32 queries that are `q_stride` apart; outputs are `out_stride` apart.
void attend_rows(const AttentionArguments& arguments, const AttentionSequence& sequence, int64_t kv_head,
                 const float* q, int64_t q_stride, int64_t out_stride, int64_t rows, RowState* state,
                 RowTotals& totals) {
  const int64_t head_dim = arguments.head_dim;
  VisibleKeys any = state[0].visible;
  VisibleKeys all = state[0].visible;
  for (int64_t r = 1; r < rows; ++r) {
    const VisibleKeys own = state[r].visible;
    any = {own.begin < any.begin ? own.begin : any.begin, own.end > any.end ? own.end : any.end};
    all = {own.begin > all.begin ? own.begin : all.begin, own.end < all.end ? own.end : all.end};
  }
  start_rows(state, rows, head_dim, totals);
  const bool shaped = shapes_scores(arguments);
  const float scale = shaped ? 1.0F : arguments.scale;
  const bool few = rows <= 8;
  float scores[block_keys * block_keys];
  float correction[block_keys];
  BlockRows found;
  for (int64_t block = any.begin / block_keys; block * block_keys < any.end; ++block) {
    const bool whole = block * block_keys >= all.begin && (block + 1) * block_keys <= all.end;  // to all rows
    if (!whole) find_rows(state, rows, block, found);
    const int64_t first = whole ? 0 : found.first;
    const int64_t count = whole ? rows : found.last - first;
    RowState* const own = state + first;
    const VisibleKeys* const seen = whole ? nullptr : found.seen + first;
    const float* const values = value_block(arguments, sequence, kv_head, block);
    if (few) fetch(values, head_dim);
    block_scores(q + first * q_stride, q_stride, count, key_block(arguments, sequence, kv_head, block), head_dim,
                 scores);
    for (int64_t r = 0; shaped && r < count; ++r) {
      shape_scores(arguments, own[r].head, block * block_keys - own[r].position, scores + r * block_keys, nullptr);
    }
    weigh_rows(scores, count, seen, scale, totals.peak + first, totals.total + first, correction);
    if (few && (block + 1) * block_keys < any.end) {
      fetch(key_block(arguments, sequence, kv_head, block + 1), head_dim);
    }
    if (whole) {
      block_accumulate({scores, block_keys, 1, correction}, rows, 0, block_keys, values, head_dim, head_dim,
                       state[0].out, out_stride);
    } else {
      for (int64_t r = 0; r < count; ++r) {
        if (correction[r] != 1.0F) scale_row(own[r].out, head_dim, correction[r]);
      }
      add_values(scores, seen, own, count, values, head_dim, out_stride);
    }
  }
}

}  // namespace

void attention_store(const AttentionArguments& arguments, const AttentionSequence& sequence, int64_t kv_head,
                     int64_t begin, int64_t end) {
  const int64_t head_dim = arguments.head_dim;
  const int64_t width = arguments.key_stride;
  for (int64_t row = begin; row < end;) {
    const int64_t token = sequence.past + row;
    const int64_t slot = token % block_keys;
    const int64_t rows = end - row < block_keys - slot ? end - row : block_keys - slot;
    const int64_t from = (sequence.first_key + row) * width + kv_head * head_dim;
    float* keys = key_block(arguments, sequence, kv_head, token / block_keys) + slot;
    transpose_rows(arguments.key + from, width, rows, head_dim, keys);
    float* values = value_block(arguments, sequence, kv_head, token / block_keys) + slot * head_dim;
    for (int64_t i = 0; i < rows; ++i) {
      memcpy(values + i * head_dim, arguments.value + from + i * width, static_cast<size_t>(head_dim) * sizeof(float));
    }
    row += rows;
  }
}

void attention_attend(const AttentionArguments& arguments, const AttentionSequence& sequence, int64_t kv_head,
                      int64_t begin, int64_t end) {
  const int64_t head_dim = arguments.head_dim;
  const int64_t group = arguments.heads / arguments.kv_heads;
  const int64_t q_width = arguments.query_stride;
  const int64_t out_width = arguments.heads * head_dim;
  const int64_t first_head = kv_head * group;
  RowState state[block_keys];
  RowTotals totals;
  const auto attend = [&](int64_t row, int64_t rows, int64_t head, int64_t heads) {
    // Either several rows of one head or several heads of one row.
    const int64_t count = rows * heads;
    const int64_t t = sequence.first_row + row;
    const bool over_rows = rows > 1;
    const int64_t out_stride = over_rows ? out_width : head_dim;
    for (int64_t i = 0; i < count; ++i) {
      state[i].position = sequence.past + row + (over_rows ? i : 0);
      state[i].head = head + (over_rows ? 0 : i);
      state[i].visible = visible_keys(state[i].position, sequence.keys, arguments.window, arguments.causal);
      state[i].out = arguments.out + t * out_width + head * head_dim + i * out_stride;
    }
    attend_rows(arguments, sequence, kv_head, arguments.query + t * q_width + head * head_dim,
                over_rows ? q_width : head_dim, out_stride, count, state, totals);
    float* lse = arguments.lse == nullptr ? nullptr : arguments.lse + t * arguments.heads + head;
    finish_rows(state, totals.peak, totals.total, count, head_dim, lse, over_rows ? arguments.heads : 1);
  };
  if (end - begin >= group) {
    for (int64_t h = 0; h < group; ++h) attend(begin, end - begin, first_head + h, 1);
    return;
  }
  for (int64_t row = begin; row < end; ++row) {
    for (int64_t h = 0; h < group; h += block_keys) {
      attend(row, 1, first_head + h, group - h < block_keys ? group - h : block_keys);
    }
  }
}

}  // namespace hone::kernels::HONE_ISA
