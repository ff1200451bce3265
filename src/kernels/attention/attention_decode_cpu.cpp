#include "kernels/attention/attention_row.h"
#include "kernels/attention/attention_score.h"

namespace hone::kernels::HONE_ISA {

namespace {

/// A few rows of one sequence on some consecutive blocks.
struct Batch {
  int64_t blocks;
  const float* keys[most_blocks];
  const float* values[most_blocks];
  const float* ahead[most_blocks];  // what is read after the values: fetched meanwhile
  VisibleKeys seen[most_blocks];
  float score[most_blocks][score_tile][block_keys];
  float correction[score_tile][most_blocks];
};

/// Scores of Rows rows with Blocks blocks from `first` on. One row with one block is a chain that waits for itself:
/// several run side by side. The values are fetched meanwhile.
template <int Rows, int Blocks>
HONE_INNER_LOOP score_blocks(const float* q, int64_t head_dim, int64_t first, Batch& batch) {
  Floats sum[Blocks][Rows][block_vectors] = {};
  const float* keys[Blocks];
  const float* values[Blocks];
  for (int b = 0; b < Blocks; ++b) {
    keys[b] = batch.keys[first + b];
    values[b] = batch.values[first + b];
  }
  for (int64_t d = 0; d < head_dim; ++d) {
    Floats key[Blocks][block_vectors];
    for (int b = 0; b < Blocks; ++b) {
      for (int64_t v = 0; v < block_vectors; ++v) key[b][v] = load_floats(keys[b] + d * block_keys + v * vector_lanes);
      __builtin_prefetch(values[b] + d * block_keys, 0, 2);
      __builtin_prefetch(values[b] + d * block_keys + 16, 0, 2);
    }
    for (int r = 0; r < Rows; ++r) {
      const Floats query = broadcast(q[r * head_dim + d]);
      for (int b = 0; b < Blocks; ++b) {
        for (int64_t v = 0; v < block_vectors; ++v) sum[b][r][v] += query * key[b][v];
      }
    }
  }
  for (int b = 0; b < Blocks; ++b) {
    for (int r = 0; r < Rows; ++r) {
      for (int64_t v = 0; v < block_vectors; ++v) {
        store_floats(batch.score[first + b][r] + v * vector_lanes, sum[b][r][v]);
      }
    }
  }
}

template <int Rows>
void score_batch(const float* q, int64_t head_dim, Batch& batch) {
  constexpr int together = 4 * Rows <= score_tile ? 4 : 2 * Rows <= score_tile ? 2 : 1;
  int64_t b = 0;
  for (; b + together <= batch.blocks; b += together) score_blocks<Rows, together>(q, head_dim, b, batch);
  for (; b < batch.blocks; ++b) score_blocks<Rows, 1>(q, head_dim, b, batch);
}

/// out = (…(out · correction + Σ_j weight · value) · correction + …): sums stay in registers from block to block.
/// `ahead`: whether to fetch what comes next.
template <int Rows, int Vectors>
HONE_INNER_LOOP accumulate_batch(const Batch& batch, int64_t first_row, int64_t column, int64_t head_dim, float* out,
                                 int64_t tail, bool ahead) {
  Floats sum[Rows][Vectors];
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      const float* from = out + r * head_dim + v * vector_lanes;
      sum[r][v] = tail == 0 ? load_floats(from) : load_tail(from, tail);
    }
  }
  for (int64_t b = 0; b < batch.blocks; ++b) {
    const float* weight = batch.score[b][first_row];
    const float* x = batch.values[b] + column;
    const float* next = (ahead ? batch.ahead[b] : batch.values[b]) + column;
    for (int r = 0; r < Rows; ++r) {
      const Floats correction = broadcast(batch.correction[first_row + r][b]);
      for (int v = 0; v < Vectors; ++v) sum[r][v] *= correction;
    }
    for (int64_t j = batch.seen[b].begin; j < batch.seen[b].end; ++j) {
      Floats value[Vectors];
      for (int v = 0; v < Vectors; ++v) {
        const float* from = x + j * head_dim + v * vector_lanes;
        value[v] = tail == 0 ? load_floats(from) : load_tail(from, tail);
        __builtin_prefetch(next + j * head_dim + v * vector_lanes, 0, 2);
      }
      for (int r = 0; r < Rows; ++r) {
        const Floats w = broadcast(weight[r * block_keys + j]);
        for (int v = 0; v < Vectors; ++v) sum[r][v] += w * value[v];
      }
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      float* to = out + r * head_dim + v * vector_lanes;
      if (tail == 0) {
        store_floats(to, sum[r][v]);
      } else {
        store_tail(to, sum[r][v], tail);
      }
    }
  }
}

template <int Rows>
void accumulate_columns(const Batch& batch, int64_t first_row, int64_t head_dim, float* out, bool ahead) {
  int64_t d = 0;
  for (; d + 4 * vector_lanes <= head_dim; d += 4 * vector_lanes) {
    accumulate_batch<Rows, 4>(batch, first_row, d, head_dim, out + d, 0, ahead);
  }
  if (d + 2 * vector_lanes <= head_dim) {
    accumulate_batch<Rows, 2>(batch, first_row, d, head_dim, out + d, 0, ahead);
    d += 2 * vector_lanes;
  }
  if (d + vector_lanes <= head_dim) {
    accumulate_batch<Rows, 1>(batch, first_row, d, head_dim, out + d, 0, ahead);
    d += vector_lanes;
  }
  if (d < head_dim) accumulate_batch<Rows, 1>(batch, first_row, d, head_dim, out + d, head_dim - d, ahead);
}

template <int Rows>
void attend_batch(const AttentionArguments& arguments, const float* q, int64_t first_block, const RowState* state,
                  float* peak, float* total, Batch& batch) {
  const int64_t head_dim = arguments.head_dim;
  const bool shaped = shapes_scores(arguments);
  score_batch<Rows>(q, head_dim, batch);
  for (int r = 0; r < Rows; ++r) {
    for (int64_t b = 0; shaped && b < batch.blocks; ++b) {
      shape_scores(arguments, state[r].head, (first_block + b) * block_keys - state[r].position, batch.score[b][r],
                   nullptr);
    }
    weigh_blocks(batch.score[0][r], score_tile * block_keys, batch.blocks, batch.seen, shaped ? 1.0F : arguments.scale,
                 peak[r], total[r], batch.correction[r]);
  }
  constexpr int tile = Rows < value_tile ? Rows : value_tile;
  accumulate_columns<tile>(batch, 0, head_dim, state[0].out, true);
  if constexpr (Rows > tile) {
    accumulate_columns<Rows - tile>(batch, tile, head_dim, state[tile].out, false);
  }
}

template <int Most>
void attend_some_rows(const AttentionArguments& arguments, int64_t rows, const float* q, int64_t first_block,
                      const RowState* state, float* peak, float* total, Batch& batch) {
  if constexpr (Most > 0) {
    if (rows == Most) {
      attend_batch<Most>(arguments, q, first_block, state, peak, total, batch);
    } else {
      attend_some_rows<Most - 1>(arguments, rows, q, first_block, state, peak, total, batch);
    }
  }
}

/// Blocks from `block` on of one sequence for its `rows` rows, which see the same keys; q and outputs lie row by row.
/// `next` (or null) is the first block of keys that is read afterwards.
void attend_own(const AttentionArguments& arguments, const AttentionSequence& sequence, int64_t kv_head, int64_t block,
                const float* q, const RowState* state, float* peak, float* total, int64_t rows, const float* next) {
  const int64_t head_dim = arguments.head_dim;
  const VisibleKeys visible = state[0].visible;
  const int64_t end = (visible.end + block_keys - 1) / block_keys;
  if (visible.begin / block_keys > block) block = visible.begin / block_keys;
  Batch batch;
  for (; block < end; block += batch.blocks) {
    batch.blocks = end - block < most_blocks ? end - block : most_blocks;
    for (int64_t b = 0; b < batch.blocks; ++b) {
      batch.keys[b] = key_block(arguments, sequence, kv_head, block + b);
      batch.values[b] = value_block(arguments, sequence, kv_head, block + b);
      batch.seen[b] = within_block(visible, (block + b) * block_keys);
      const int64_t later = block + batch.blocks + b;
      batch.ahead[b] = later < end ? key_block(arguments, sequence, kv_head, later) : batch.values[b];
    }
    if (block + batch.blocks == end && next != nullptr) batch.ahead[0] = next;
    for (int64_t r = 0; r < rows; r += score_tile) {
      attend_some_rows<score_tile>(arguments, rows - r < score_tile ? rows - r : score_tile, q + r * head_dim, block,
                                   state + r, peak + r, total + r, batch);
    }
  }
}

/// The first `blocks` blocks, which all rows see whole, for many rows: each is read once for all of them.
void attend_shared(const AttentionArguments& arguments, const AttentionSequence& sequence, int64_t kv_head,
                   int64_t blocks, const float* q, const RowState* state, RowTotals& totals, int64_t rows) {
  const int64_t head_dim = arguments.head_dim;
  const bool shaped = shapes_scores(arguments);
  alignas(64) float score[attention_group_rows * block_keys];
  float correction[attention_group_rows];
  for (int64_t block = 0; block < blocks; ++block) {
    block_scores(q, head_dim, rows, key_block(arguments, sequence, kv_head, block), head_dim, score);
    for (int64_t r = 0; shaped && r < rows; ++r) {
      shape_scores(arguments, state[r].head, block * block_keys - state[r].position, score + r * block_keys, nullptr);
    }
    weigh_rows(score, rows, nullptr, shaped ? 1.0F : arguments.scale, totals.peak, totals.total, correction);
    block_accumulate({score, block_keys, 1, correction}, rows, 0, block_keys,
                     value_block(arguments, sequence, kv_head, block), head_dim, head_dim, state[0].out, head_dim);
  }
}

/// The first block of keys that a sequence does not share, or null.
const float* first_own_keys(const AttentionArguments& arguments, const AttentionSequence& sequence, int64_t kv_head,
                            int64_t shared) {
  return shared * block_keys < sequence.keys ? key_block(arguments, sequence, kv_head, shared) : nullptr;
}

}  // namespace

void attention_decode(const AttentionArguments& arguments, const AttentionGroup* groups, int64_t begin, int64_t end,
                      float* scratch) {
  const int64_t head_dim = arguments.head_dim;
  const int64_t heads = arguments.heads / arguments.kv_heads;  // of a sequence, one row each
  const int64_t out_width = arguments.heads * head_dim;
  const size_t bytes = static_cast<size_t>(heads * head_dim) * sizeof(float);
  float* const gathered = scratch;
  float* const outputs = scratch + attention_group_rows * head_dim;
  RowState state[attention_group_rows];
  RowTotals totals;
  for (int64_t unit = begin; unit < end; ++unit) {
    const AttentionGroup& group = groups[unit / arguments.kv_heads];
    const int64_t kv_head = unit % arguments.kv_heads;
    const int64_t first = kv_head * heads * head_dim;  // of the heads' floats in a row of queries or outputs
    for (int64_t s = 0; s < group.count; ++s) {
      const AttentionSequence& sequence = group.sequences[s];
      if (arguments.key != nullptr) attention_store(arguments, sequence, kv_head, 0, 1);
      const int64_t position = sequence.past;
      float* const out = arguments.out + sequence.first_row * out_width + first;
      for (int64_t h = 0; h < heads; ++h) {
        RowState& row = state[s * heads + h];
        row.visible = visible_keys(position, sequence.keys, arguments.window, arguments.causal);
        row.position = position;
        row.head = kv_head * heads + h;
        row.out = (group.shared > 0 ? outputs + s * heads * head_dim : out) + h * head_dim;
      }
      if (group.shared > 0) {
        const float* const q = arguments.query + sequence.first_row * arguments.query_stride + first;
        memcpy(gathered + s * heads * head_dim, q, bytes);
      }
    }
    start_rows(state, group.count * heads, head_dim, totals);
    if (group.shared > 0) {
      attend_shared(arguments, group.sequences[0], kv_head, group.shared, gathered, state, totals, group.count * heads);
    }
    for (int64_t s = 0; s < group.count; ++s) {
      const AttentionSequence& sequence = group.sequences[s];
      const float* q = group.shared > 0 ? gathered + s * heads * head_dim
                                        : arguments.query + sequence.first_row * arguments.query_stride + first;
      const float* next = nullptr;
      if (s + 1 < group.count) {
        next = first_own_keys(arguments, group.sequences[s + 1], kv_head, group.shared);
      } else if (unit + 1 < end) {
        const AttentionGroup& later = groups[(unit + 1) / arguments.kv_heads];
        next = first_own_keys(arguments, later.sequences[0], (unit + 1) % arguments.kv_heads, 0);
      }
      const int64_t at = s * heads;
      const RowState* const own = state + at;
      attend_own(arguments, sequence, kv_head, group.shared, q, own, totals.peak + at, totals.total + at, heads, next);
      finish_rows(own, totals.peak + at, totals.total + at, heads, head_dim, nullptr, 0);
      if (group.shared > 0) memcpy(arguments.out + sequence.first_row * out_width + first, own[0].out, bytes);
    }
  }
}

}  // namespace hone::kernels::HONE_ISA
