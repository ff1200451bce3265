#include "kernels/attention/attention_cpu.h"

#include <string.h>

#include "kernels/attention/attention_row.h"
#include "kernels/attention/attention_score.h"

namespace hone::kernels::HONE_ISA {

namespace {

/// out += weights · values. Rows are handled together on the keys that all of them see, alone on the others: a row
/// never reads a value that it does not see, and its chain over keys is the same in any company.
void add_values(const float* score, const VisibleKeys* seen, RowState* state, int64_t rows, const float* values,
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

/// Attends with `rows` ≤ 32 queries that are `q_stride` apart; outputs are `out_stride` apart.
void attend_rows(const AttentionArguments& arguments, const AttentionSequence& sequence, int64_t kv_head,
                 const float* q, int64_t q_stride, int64_t out_stride, int64_t rows, RowState* state) {
  const int64_t head_dim = arguments.head_dim;
  VisibleKeys range = state[0].visible;
  for (int64_t r = 0; r < rows; ++r) {
    if (state[r].visible.begin < range.begin) range.begin = state[r].visible.begin;
    if (state[r].visible.end > range.end) range.end = state[r].visible.end;
    start_row(state[r], head_dim);
  }
  const bool shaped = shapes_scores(arguments);
  const float scale = shaped ? 1.0F : arguments.scale;
  const bool few = rows <= 8;
  float score[block_keys * block_keys];
  VisibleKeys seen[block_keys];
  for (int64_t block = range.begin / block_keys; block * block_keys < range.end; ++block) {
    // Visible ranges move with the position, so the rows that see this block are consecutive.
    int64_t first = 0;
    int64_t last = 0;
    for (int64_t r = 0; r < rows; ++r) {
      seen[r] = within_block(state[r].visible, block * block_keys);
      if (seen[r].begin >= seen[r].end) continue;
      if (last == 0) first = r;
      last = r + 1;
    }
    if (few) fetch(value_block(arguments, sequence, kv_head, block), head_dim);
    block_scores(q + first * q_stride, q_stride, last - first, key_block(arguments, sequence, kv_head, block), head_dim,
                 score + first * block_keys);
    for (int64_t r = first; r < last; ++r) {
      if (shaped) {
        shape_scores(arguments, state[r].head, block * block_keys - state[r].position, score + r * block_keys, nullptr);
      }
      float correction = 1.0F;
      weigh_blocks(score + r * block_keys, 0, 1, seen + r, scale, state[r], &correction);
      if (correction != 1.0F) scale_row(state[r].out, head_dim, correction);
    }
    if (few && (block + 1) * block_keys < range.end) {
      fetch(key_block(arguments, sequence, kv_head, block + 1), head_dim);
    }
    add_values(score + first * block_keys, seen + first, state + first, last - first,
               value_block(arguments, sequence, kv_head, block), head_dim, out_stride);
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
                over_rows ? q_width : head_dim, out_stride, count, state);
    float* lse = arguments.lse == nullptr ? nullptr : arguments.lse + t * arguments.heads + head;
    finish_rows(state, count, head_dim, lse, over_rows ? arguments.heads : 1);
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
