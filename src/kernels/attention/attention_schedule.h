#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/attention/attention_cpu.h"

/// How the tensors of one call become sequences, tiles and arguments of the kernels. Used by attention's .cpp files
/// only.
namespace hone::kernels {

/// At most kv_page consecutive rows (or new keys) of one sequence: with a key-value head, one unit of parallel work.
struct AttentionTile {
  std::int64_t sequence;
  std::int64_t begin;
  std::int64_t end;
};

struct AttentionSchedule {
  std::vector<AttentionSequence> sequences;
  std::vector<AttentionTile> query_tiles;
  std::vector<AttentionTile> key_tiles;  ///< new keys
  std::vector<std::int32_t> identity;    ///< pages of sequences without a cache
};

void check_floats(const at::Tensor& tensor, at::IntArrayRef sizes);
void check_ints(const at::Tensor& tensor, at::IntArrayRef sizes);
void check_pages(const KvPages& pages, const AttentionShape& shape);

/// Self attention: the queries' rows are the new keys' rows. `rows` of the tensors must be the plan's.
AttentionSchedule self_schedule(const AttentionPlan& plan, std::int64_t rows);
/// Cross attention with `rows` queries and `keys` new keys.
AttentionSchedule cross_schedule(const AttentionPlan& plan, std::int64_t rows, std::int64_t keys);
/// Cross attention with `rows` queries whose keys are in pages.
AttentionSchedule cached_cross_schedule(const AttentionPlan& plan, std::int64_t rows);
/// `keys` new keys and no query.
AttentionSchedule store_schedule(const AttentionPlan& plan, std::int64_t keys);

/// The pages of the plan, checked to be enough for all keys.
void place_in_pages(AttentionSchedule& schedule, const AttentionPlan& plan, const KvPages& pages);
/// Consecutive pages of a scratch buffer for all keys of every sequence; the buffer is the calling thread's.
void place_in_scratch(AttentionSchedule& schedule, AttentionArguments& arguments);

/// Everything but tensors, of the plan and the shape.
AttentionArguments plan_arguments(const AttentionShape& shape, const AttentionPlan& plan);
AttentionArguments self_arguments(const at::Tensor& qkv_TC, const AttentionShape& shape, const AttentionPlan& plan);
/// Either tensor may be undefined: its pointers are null then.
AttentionArguments cross_arguments(const at::Tensor& q_TE, const at::Tensor& kv_UC, const AttentionShape& shape,
                                   const AttentionPlan& plan);

/// Writes the new keys and values into their pages.
void store_all(const AttentionArguments& arguments, const AttentionSchedule& schedule);
/// Whether this is a decode step: one query a sequence.
bool decodes(const AttentionArguments& arguments, const AttentionSchedule& schedule);
/// Attends in a decode step, after the new keys and values (where arguments.key is not null) were written. Neighbours
/// that begin with the same pages read them together.
void decode_all(const AttentionArguments& arguments, const AttentionSchedule& schedule);
/// Attends with every query; all keys are in their pages.
void attend_all(const AttentionArguments& arguments, const AttentionSchedule& schedule);

/// All of the gradient; dbias_HR (undefined: not wanted) is added to.
void backward_all(const AttentionGradient& gradient, const AttentionSchedule& schedule, at::Tensor dbias_HR);

}  // namespace hone::kernels
