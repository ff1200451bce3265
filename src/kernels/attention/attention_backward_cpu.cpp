#include <string.h>

#include "kernels/attention/attention_block.h"
#include "kernels/attention/attention_cpu.h"

namespace hone::kernels::HONE_ISA {

namespace {

/// One block of keys against one block of queries of one head. Strides are those of the fused rows.
struct BlockPair {
  int64_t query;  ///< first row of the sequence
  int64_t queries;
  int64_t key;
  int64_t keys;
  const float* q;  ///< of the first query
  const float* dout;
  const float* out;
  const float* lse;  ///< `heads` apart
  const float* key_rows;
  float* dq;
  float* dk;
  float* dv;
};

struct Strides {
  int64_t fused;
  int64_t out;
};

float dot(const float* a, const float* b, int64_t width) {
  Floats sum = {};
  int64_t i = 0;
  for (; i + vector_lanes <= width; i += vector_lanes) sum += load_floats(a + i) * load_floats(b + i);
  if (i < width) sum += load_some(a + i, width - i, 0.0F) * load_some(b + i, width - i, 0.0F);
  return sum_lanes(sum);
}

/// Rows of `from` as columns of to[head_dim][32], zeros in the columns behind them.
void transpose_block(const float* from, int64_t stride, int64_t rows, int64_t head_dim, float* to) {
  transpose_rows(from, stride, rows, head_dim, to);
  for (int64_t d = 0; d < head_dim; ++d) {
    for (int64_t j = rows; j < block_keys; ++j) to[d * block_keys + j] = 0.0F;
  }
}

/// Turns scores q·k into p = exp(scale · score - lse), and dout·v into dscore = p · (dout·v - dout·out) · scale.
void weigh_gradients(const AttentionArguments& arguments, const BlockPair& pair, int64_t length, const Strides& strides,
                     float* score, float* dscore) {
  for (int64_t r = 0; r < pair.queries; ++r) {
    const VisibleKeys seen =
        within_block(visible_keys(pair.query + r, length, arguments.window, arguments.causal), pair.key);
    const float delta = dot(pair.dout + r * strides.out, pair.out + r * strides.out, arguments.head_dim);
    const float lse = pair.lse[r * arguments.heads];
    for (int64_t v = 0; v < block_vectors; ++v) {
      float* s = score + r * block_keys + v * vector_lanes;
      float* ds = dscore + r * block_keys + v * vector_lanes;
      const Ints mask = lane_mask(v, seen);
      const Floats p = mask ? exp_floats(load_floats(s) * arguments.scale - lse) : Floats{};
      const Floats d = p * (load_floats(ds) - delta) * arguments.scale;
      store_floats(s, p);
      store_floats(ds, mask ? d : Floats{});
    }
  }
}

void add_pair(const AttentionArguments& arguments, const BlockPair& pair, int64_t length, const Strides& strides,
              const float* keys_DB, const float* values_DB) {
  const int64_t head_dim = arguments.head_dim;
  float p[block_keys * block_keys];
  float ds[block_keys * block_keys];
  block_scores(pair.q, strides.fused, pair.queries, keys_DB, head_dim, p);
  block_scores(pair.dout, strides.out, pair.queries, values_DB, head_dim, ds);
  weigh_gradients(arguments, pair, length, strides, p, ds);
  block_accumulate({ds, block_keys, 1}, pair.queries, 0, pair.keys, pair.key_rows, strides.fused, head_dim, pair.dq,
                   strides.fused);
  block_accumulate({p, 1, block_keys}, pair.keys, 0, pair.queries, pair.dout, strides.out, head_dim, pair.dv,
                   strides.fused);
  block_accumulate({ds, 1, block_keys}, pair.keys, 0, pair.queries, pair.q, strides.fused, head_dim, pair.dk,
                   strides.fused);
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

}  // namespace

void attention_backward_sequence(const AttentionGradient& gradient, const AttentionSequence& sequence, int64_t kv_head,
                                 float* scratch) {
  const AttentionArguments& forward = gradient.forward;
  const int64_t head_dim = forward.head_dim;
  const int64_t group = forward.heads / forward.kv_heads;
  const Strides strides = {(forward.heads + 2 * forward.kv_heads) * head_dim, forward.heads * head_dim};
  const int64_t length = sequence.rows;
  const float* qkv = forward.qkv + sequence.first_row * strides.fused;
  float* dqkv = gradient.dqkv + sequence.first_row * strides.fused;
  const int64_t key_column = (forward.heads + kv_head) * head_dim;
  const int64_t value_column = key_column + forward.kv_heads * head_dim;
  for (int64_t t = 0; t < length; ++t) {
    float* row = dqkv + t * strides.fused;
    memset(row + kv_head * group * head_dim, 0, static_cast<size_t>(group * head_dim) * sizeof(float));
    memset(row + key_column, 0, static_cast<size_t>(head_dim) * sizeof(float));
    memset(row + value_column, 0, static_cast<size_t>(head_dim) * sizeof(float));
  }
  float* keys_DB = scratch;
  float* values_DB = scratch + block_keys * head_dim;
  for (int64_t key = 0; key < length; key += block_keys) {
    const int64_t keys = length - key < block_keys ? length - key : block_keys;
    transpose_block(qkv + key * strides.fused + key_column, strides.fused, keys, head_dim, keys_DB);
    transpose_block(qkv + key * strides.fused + value_column, strides.fused, keys, head_dim, values_DB);
    const VisibleKeys queries = queries_of(key, keys, length, forward.window, forward.causal);
    for (int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      for (int64_t query = queries.begin / block_keys * block_keys; query < queries.end; query += block_keys) {
        const int64_t row = sequence.first_row + query;
        const int64_t fused = query * strides.fused + head * head_dim;
        const int64_t out = row * strides.out + head * head_dim;
        const BlockPair pair = {query,
                                length - query < block_keys ? length - query : block_keys,
                                key,
                                keys,
                                qkv + fused,
                                gradient.dout + out,
                                forward.out + out,
                                forward.lse + row * forward.heads + head,
                                qkv + key * strides.fused + key_column,
                                dqkv + fused,
                                dqkv + key * strides.fused + key_column,
                                dqkv + key * strides.fused + value_column};
        add_pair(forward, pair, length, strides, keys_DB, values_DB);
      }
    }
  }
}

}  // namespace hone::kernels::HONE_ISA
