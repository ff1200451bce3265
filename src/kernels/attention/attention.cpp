#include "kernels/attention/attention.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/attention/attention_schedule.h"
#include "kernels/pages.h"

namespace hone::kernels {

namespace {

/// Writes new keys and values, then attends. Sequences of one tile do both in one go; otherwise all keys are written
/// before any row attends.
void store_and_attend(const AttentionArguments& arguments, const AttentionSchedule& schedule) {
  if (decodes(arguments, schedule)) return decode_all(arguments, schedule);
  if (std::any_of(schedule.sequences.begin(), schedule.sequences.end(),
                  [](const AttentionSequence& sequence) { return sequence.rows > kv_page; })) {
    store_all(arguments, schedule);
    attend_all(arguments, schedule);
    return;
  }
  const auto store = HONE_SELECT(attention_store);
  const auto attend = HONE_SELECT(attention_attend);
  const auto units = static_cast<std::int64_t>(schedule.query_tiles.size()) * arguments.kv_heads;
  parallel_for(units, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t unit = begin; unit < end; ++unit) {
      const AttentionTile& tile = schedule.query_tiles[static_cast<std::size_t>(unit / arguments.kv_heads)];
      const AttentionSequence& sequence = schedule.sequences[static_cast<std::size_t>(tile.sequence)];
      store(arguments, sequence, unit % arguments.kv_heads, tile.begin, tile.end);
      attend(arguments, sequence, unit % arguments.kv_heads, tile.begin, tile.end);
    }
  });
}

/// `forward` as the backward kernels read it.
void read_forward(AttentionArguments& arguments, const AttentionResult& forward) {
  // The kernels only read these two.
  arguments.out = const_cast<float*>(forward.out_TE.const_data_ptr<float>());
  arguments.lse = const_cast<float*>(forward.lse_TH.const_data_ptr<float>());
}

AttentionResult empty_result(std::int64_t rows, const AttentionShape& shape, AttentionArguments& arguments) {
  AttentionResult result{at::empty({rows, shape.query_width()}, at::kFloat),
                         at::empty({rows, shape.heads}, at::kFloat)};
  arguments.out = result.out_TE.data_ptr<float>();
  arguments.lse = result.lse_TH.data_ptr<float>();
  return result;
}

/// A tensor in memory of its own: reads hop from page to page, which small pages of the system would slow down.
at::Tensor paged_floats(at::IntArrayRef sizes) {
  const auto memory = std::make_shared<Pages>(c10::multiply_integers(sizes) * static_cast<std::int64_t>(sizeof(float)));
  return at::from_blob(memory->data<float>(), sizes, [memory](void*) {}, at::TensorOptions(at::kFloat));
}

void check_backward(const at::Tensor& dout_TE, const AttentionResult& forward, const AttentionShape& shape,
                    std::int64_t rows) {
  check_floats(dout_TE, {rows, shape.query_width()});
  check_floats(forward.out_TE, {rows, shape.query_width()});
  check_floats(forward.lse_TH, {rows, shape.heads});
}

}  // namespace

KvPages make_kv_pages(std::int64_t pages, const AttentionShape& shape) {
  HONE_ASSERT(pages >= 0);
  return {paged_floats({pages, shape.kv_heads, shape.head_dim, kv_page}),
          paged_floats({pages, shape.kv_heads, kv_page, shape.head_dim})};
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
  AttentionArguments arguments = self_arguments(qkv_TC, shape, plan);
  AttentionSchedule schedule = self_schedule(plan, qkv_TC.size(0));
  place_in_scratch(schedule, arguments);
  AttentionResult result = empty_result(qkv_TC.size(0), shape, arguments);
  store_and_attend(arguments, schedule);
  return result;
}

at::Tensor attention_cached(const at::Tensor& qkv_TC, const AttentionShape& shape, const AttentionPlan& plan,
                            KvPages& pages) {
  HONE_ASSERT(plan.cached());
  AttentionArguments arguments = self_arguments(qkv_TC, shape, plan);
  AttentionSchedule schedule = self_schedule(plan, qkv_TC.size(0));
  check_pages(pages, shape);
  place_in_pages(schedule, plan, pages);
  at::Tensor out_TE = at::empty({qkv_TC.size(0), shape.query_width()}, at::kFloat);
  arguments.keys = pages.key_PHDB.data_ptr<float>();
  arguments.values = pages.value_PHBD.data_ptr<float>();
  arguments.out = out_TE.data_ptr<float>();
  store_and_attend(arguments, schedule);
  return out_TE;
}

at::Tensor attention_backward(const at::Tensor& dout_TE, const at::Tensor& qkv_TC, const AttentionResult& forward,
                              const AttentionShape& shape, const AttentionPlan& plan, at::Tensor* dbias_HR) {
  HONE_ASSERT(!plan.cached());
  const AttentionSchedule schedule = self_schedule(plan, qkv_TC.size(0));
  check_backward(dout_TE, forward, shape, qkv_TC.size(0));
  at::Tensor dqkv_TC = at::empty({qkv_TC.size(0), shape.fused_width()}, at::kFloat);
  float* dqkv = dqkv_TC.data_ptr<float>();
  const std::int64_t key = shape.query_width();
  AttentionGradient gradient{self_arguments(qkv_TC, shape, plan), dout_TE.const_data_ptr<float>(), dqkv, dqkv + key,
                             dqkv + key + shape.kv_heads * shape.head_dim};
  read_forward(gradient.forward, forward);
  HONE_ASSERT(dbias_HR == nullptr || !dbias_HR->defined() || plan.bias_HR.defined());
  backward_all(gradient, schedule, dbias_HR == nullptr ? at::Tensor() : *dbias_HR);
  return dqkv_TC;
}

AttentionResult attention_cross_forward(const at::Tensor& q_TE, const at::Tensor& kv_UC, const AttentionShape& shape,
                                        const AttentionPlan& plan) {
  AttentionArguments arguments = cross_arguments(q_TE, kv_UC, shape, plan);
  AttentionSchedule schedule = cross_schedule(plan, q_TE.size(0), kv_UC.size(0));
  place_in_scratch(schedule, arguments);
  AttentionResult result = empty_result(q_TE.size(0), shape, arguments);
  store_all(arguments, schedule);
  attend_all(arguments, schedule);
  return result;
}

CrossGradient attention_cross_backward(const at::Tensor& dout_TE, const at::Tensor& q_TE, const at::Tensor& kv_UC,
                                       const AttentionResult& forward, const AttentionShape& shape,
                                       const AttentionPlan& plan) {
  const AttentionSchedule schedule = cross_schedule(plan, q_TE.size(0), kv_UC.size(0));
  check_backward(dout_TE, forward, shape, q_TE.size(0));
  CrossGradient result{at::empty({q_TE.size(0), shape.query_width()}, at::kFloat),
                       at::empty({kv_UC.size(0), shape.key_value_width()}, at::kFloat)};
  float* dkey = result.dkv_UC.data_ptr<float>();
  AttentionGradient gradient{cross_arguments(q_TE, kv_UC, shape, plan), dout_TE.const_data_ptr<float>(),
                             result.dq_TE.data_ptr<float>(), dkey, dkey + shape.kv_heads * shape.head_dim};
  read_forward(gradient.forward, forward);
  backward_all(gradient, schedule, {});
  return result;
}

void attention_store_keys(const at::Tensor& kv_UC, const AttentionShape& shape, const AttentionPlan& plan,
                          KvPages& pages) {
  AttentionArguments arguments = cross_arguments({}, kv_UC, shape, plan);
  AttentionSchedule schedule = store_schedule(plan, kv_UC.size(0));
  check_pages(pages, shape);
  place_in_pages(schedule, plan, pages);
  arguments.keys = pages.key_PHDB.data_ptr<float>();
  arguments.values = pages.value_PHBD.data_ptr<float>();
  store_all(arguments, schedule);
}

at::Tensor attention_cross_cached(const at::Tensor& q_TE, const AttentionShape& shape, const AttentionPlan& plan,
                                  KvPages& pages) {
  AttentionArguments arguments = cross_arguments(q_TE, {}, shape, plan);
  AttentionSchedule schedule = cached_cross_schedule(plan, q_TE.size(0));
  check_pages(pages, shape);
  place_in_pages(schedule, plan, pages);
  at::Tensor out_TE = at::empty({q_TE.size(0), shape.query_width()}, at::kFloat);
  arguments.keys = pages.key_PHDB.data_ptr<float>();
  arguments.values = pages.value_PHBD.data_ptr<float>();
  arguments.out = out_TE.data_ptr<float>();
  if (decodes(arguments, schedule)) {
    decode_all(arguments, schedule);
  } else {
    attend_all(arguments, schedule);
  }
  return out_TE;
}

}  // namespace hone::kernels
