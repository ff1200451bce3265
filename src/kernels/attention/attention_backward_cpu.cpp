#include <string.h>

#include "kernels/attention/attention_block.h"
#include "kernels/attention/attention_cpu.h"
#include "kernels/attention/attention_score.h"

namespace hone::kernels::HONE_ISA {

namespace {

/// One block of keys against one block of queries of one head.
struct BlockPair {
  int64_t head;
  int64_t query;  ///< position of the first row in the sequence
  int64_t queries;
  int64_t key;
  int64_t keys;
  const float* q;  ///< of the first query
  const float* dout;
  const float* delta;  ///< dout·out of each query
  const float* lse;    ///< `heads` apart
  const float* key_rows;
  float* dq;  ///< null: not wanted
  float* dk;  ///< null: not wanted; dv likewise
  float* dv;
  float* dbias;  ///< of this head, or null
};

float dot(const float* a, const float* b, int64_t width) {
  Floats sum = {};
  int64_t i = 0;
  for (; i + vector_lanes <= width; i += vector_lanes) sum += load_floats(a + i) * load_floats(b + i);
  if (i < width) sum += load_tail(a + i, width - i) * load_tail(b + i, width - i);
  return sum_lanes(sum);
}

/// Rows of `from` as columns of to[head_dim][32], zeros in the columns behind them.
void transpose_block(const float* from, int64_t stride, int64_t rows, int64_t head_dim, float* to) {
  transpose_rows(from, stride, rows, head_dim, to);
  for (int64_t d = 0; d < head_dim; ++d) {
    for (int64_t j = rows; j < block_keys; ++j) to[d * block_keys + j] = 0.0F;
  }
}

void clear_unseen(float* p, float* dscore, VisibleKeys seen) {
  for (int64_t v = 0; v < block_vectors; ++v) {
    const Ints mask = lane_mask(v, seen);
    store_floats(p + v * vector_lanes, mask ? load_floats(p + v * vector_lanes) : Floats{});
    store_floats(dscore + v * vector_lanes, mask ? load_floats(dscore + v * vector_lanes) : Floats{});
  }
}

/// Turns scores q·k into p = exp(score(q·k) - lse), and dout·v into dscore = p · (dout·v - dout·out) · d score / d q·k.
void weigh_gradients(const AttentionArguments& arguments, const BlockPair& pair, int64_t keys, float* score,
                     float* dscore) {
  const bool shaped = shapes_scores(arguments);
  const float scale = shaped ? 1.0F : arguments.scale;
  const VisibleKeys of_first = visible_keys(pair.query, keys, arguments.window, arguments.causal);
  const VisibleKeys of_last = visible_keys(pair.query + pair.queries - 1, keys, arguments.window, arguments.causal);
  const bool whole = of_last.begin <= pair.key && of_first.end >= pair.key + block_keys;  // every pair is seen
  float slope[block_keys];
  for (int64_t r = 0; r < pair.queries; ++r) {
    float* s = score + r * block_keys;
    float* ds = dscore + r * block_keys;
    const int64_t distance = pair.key - (pair.query + r);
    if (shaped) shape_scores(arguments, pair.head, distance, s, slope);
    const float delta = pair.delta[r];
    const float lse = pair.lse[r * arguments.heads];
    for (int64_t v = 0; v < block_keys; v += vector_lanes) {
      const Floats p = exp_floats(load_floats(s + v) * scale - lse);
      store_floats(ds + v, p * (load_floats(ds + v) - delta) * scale);
      store_floats(s + v, p);
    }
    if (!whole) {
      const VisibleKeys visible = visible_keys(pair.query + r, keys, arguments.window, arguments.causal);
      clear_unseen(s, ds, within_block(visible, pair.key));
    }
    if (!shaped) continue;
    if (pair.dbias != nullptr) add_bias_gradient(ds, arguments.bias_reach, distance, pair.dbias);
    for (int64_t v = 0; v < block_keys; v += vector_lanes) {
      Floats d = load_floats(ds + v) * arguments.scale;
      if (arguments.soft_cap > 0.0F) d = load_floats(ds + v) == 0.0F ? Floats{} : d * load_floats(slope + v);
      store_floats(ds + v, d);
    }
  }
}

void add_pair(const AttentionArguments& arguments, const BlockPair& pair, int64_t keys, const float* keys_DB,
              const float* values_DB) {
  const int64_t head_dim = arguments.head_dim;
  const int64_t out_width = arguments.heads * head_dim;
  float p[block_keys * block_keys];
  float ds[block_keys * block_keys];
  block_scores(pair.q, arguments.query_stride, pair.queries, keys_DB, head_dim, p);
  block_scores(pair.dout, out_width, pair.queries, values_DB, head_dim, ds);
  weigh_gradients(arguments, pair, keys, p, ds);
  if (pair.dq != nullptr) {
    block_accumulate({ds, block_keys, 1}, pair.queries, 0, pair.keys, pair.key_rows, arguments.key_stride, head_dim,
                     pair.dq, arguments.query_stride);
  }
  if (pair.dk == nullptr) return;
  block_accumulate({p, 1, block_keys}, pair.keys, 0, pair.queries, pair.dout, out_width, head_dim, pair.dv,
                   arguments.key_stride);
  block_accumulate({ds, 1, block_keys}, pair.keys, 0, pair.queries, pair.q, arguments.query_stride, head_dim, pair.dk,
                   arguments.key_stride);
}

/// Queries that see any key of [start, start + keys).
VisibleKeys queries_of(int64_t start, int64_t keys, int64_t length, int64_t window, bool causal) {
  VisibleKeys queries = {causal ? start : 0, length};
  if (window > 0) {
    if (start - window + 1 > queries.begin) queries.begin = start - window + 1;
    if (start + keys - 1 + window < queries.end) queries.end = start + keys - 1 + window;
  }
  return queries;
}

void clear_rows(float* from, int64_t stride, int64_t rows, int64_t width) {
  for (int64_t t = 0; t < rows; ++t) memset(from + t * stride, 0, static_cast<size_t>(width) * sizeof(float));
}

/// Sums start at zero; pairs add to them.
void clear_gradients(const AttentionGradient& gradient, const AttentionGradientUnit& unit) {
  const AttentionArguments& forward = gradient.forward;
  const int64_t group_width = forward.heads / forward.kv_heads * forward.head_dim;
  if (unit.writes_queries) {
    const int64_t row = unit.sequence->first_row + unit.query_begin;
    clear_rows(gradient.dquery + row * forward.query_stride + unit.kv_head * group_width, forward.query_stride,
               unit.query_end - unit.query_begin, group_width);
  }
  if (unit.writes_keys) {
    const int64_t at =
        (unit.sequence->first_key + unit.key_begin) * forward.key_stride + unit.kv_head * forward.head_dim;
    clear_rows(gradient.dkey + at, forward.key_stride, unit.key_end - unit.key_begin, forward.head_dim);
    clear_rows(gradient.dvalue + at, forward.key_stride, unit.key_end - unit.key_begin, forward.head_dim);
  }
}

/// The block of queries at `query` of one head against the block of keys at `key`.
BlockPair pair_of(const AttentionGradient& gradient, const AttentionGradientUnit& unit, int64_t head, int64_t query,
                  int64_t key) {
  const AttentionArguments& forward = gradient.forward;
  const AttentionSequence& sequence = *unit.sequence;
  const int64_t row = sequence.first_row + query;
  const int64_t q = row * forward.query_stride + head * forward.head_dim;
  const int64_t out = (row * forward.heads + head) * forward.head_dim;
  const int64_t k = (sequence.first_key + key) * forward.key_stride + unit.kv_head * forward.head_dim;
  BlockPair pair{};
  pair.head = head;
  pair.query = query;
  pair.queries = sequence.rows - query < block_keys ? sequence.rows - query : block_keys;
  pair.key = key;
  pair.keys = sequence.keys - key < block_keys ? sequence.keys - key : block_keys;
  pair.q = forward.query + q;
  pair.dout = gradient.dout + out;
  pair.lse = forward.lse + row * forward.heads + head;
  pair.key_rows = forward.key + k;
  pair.dq = unit.writes_queries ? gradient.dquery + q : nullptr;
  pair.dk = unit.writes_keys ? gradient.dkey + k : nullptr;
  pair.dv = unit.writes_keys ? gradient.dvalue + k : nullptr;
  pair.dbias = unit.dbias == nullptr ? nullptr : unit.dbias + head * (2 * forward.bias_reach + 1);
  return pair;
}

/// dout·out of the unit's queries, [heads of the group][queries].
void query_deltas(const AttentionGradient& gradient, const AttentionGradientUnit& unit, float* delta) {
  const AttentionArguments& forward = gradient.forward;
  const int64_t group = forward.heads / forward.kv_heads;
  for (int64_t head = unit.kv_head * group; head < (unit.kv_head + 1) * group; ++head) {
    for (int64_t query = unit.query_begin; query < unit.query_end; ++query) {
      const int64_t at = ((unit.sequence->first_row + query) * forward.heads + head) * forward.head_dim;
      *delta++ = dot(gradient.dout + at, forward.out + at, forward.head_dim);
    }
  }
}

}  // namespace

void attention_backward_unit(const AttentionGradient& gradient, const AttentionGradientUnit& unit, float* scratch) {
  const AttentionArguments& forward = gradient.forward;
  const AttentionSequence& sequence = *unit.sequence;
  const int64_t head_dim = forward.head_dim;
  const int64_t group = forward.heads / forward.kv_heads;
  float* keys_DB = scratch;
  float* values_DB = scratch + block_keys * head_dim;
  float* delta = scratch + 2 * block_keys * head_dim;
  const int64_t queries_of_unit = unit.query_end - unit.query_begin;
  clear_gradients(gradient, unit);
  query_deltas(gradient, unit, delta);
  for (int64_t key = unit.key_begin; key < unit.key_end; key += block_keys) {
    const int64_t keys = unit.key_end - key < block_keys ? unit.key_end - key : block_keys;
    VisibleKeys queries = queries_of(key, keys, sequence.rows, forward.window, forward.causal);
    if (queries.begin < unit.query_begin) queries.begin = unit.query_begin;
    if (queries.end > unit.query_end) queries.end = unit.query_end;
    if (queries.begin >= queries.end) continue;
    const int64_t at = (sequence.first_key + key) * forward.key_stride + unit.kv_head * head_dim;
    transpose_block(forward.key + at, forward.key_stride, keys, head_dim, keys_DB);
    transpose_block(forward.value + at, forward.key_stride, keys, head_dim, values_DB);
    for (int64_t head = unit.kv_head * group; head < (unit.kv_head + 1) * group; ++head) {
      for (int64_t query = queries.begin / block_keys * block_keys; query < queries.end; query += block_keys) {
        BlockPair pair = pair_of(gradient, unit, head, query, key);
        pair.delta = delta + (head - unit.kv_head * group) * queries_of_unit + query - unit.query_begin;
        add_pair(forward, pair, sequence.keys, keys_DB, values_DB);
      }
    }
  }
}

}  // namespace hone::kernels::HONE_ISA
