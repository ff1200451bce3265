#include "nn/parameter_store.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "base/threads.h"
#include "kernels/embedding/embedding.h"
#include "kernels/isa.h"
#include "kernels/pages.h"

namespace hone {

namespace {

constexpr std::int64_t alignment_floats = 16;
constexpr std::int64_t fill_rows = 32;      // that are read at once
constexpr std::int64_t init_chunk = 4096;  // values that share one random stream

std::int64_t aligned(std::int64_t count) {
  return (count + alignment_floats - 1) / alignment_floats * alignment_floats;
}

void draw(const Segment& segment, std::uint64_t seed, float* values) {
  const std::int64_t count = segment.count();
  if (segment.init.kind == Init::Kind::constant) {
    std::fill_n(values, count, static_cast<float>(segment.init.value));
    return;
  }
  const std::uint64_t key = stream_key(seed, "init/" + segment.name);
  parallel_for((count + init_chunk - 1) / init_chunk, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t chunk = begin; chunk < end; ++chunk) {
      Random random(key, static_cast<std::uint64_t>(chunk));
      const std::int64_t last = std::min(count, (chunk + 1) * init_chunk);
      for (std::int64_t i = chunk * init_chunk; i < last; ++i) {
        values[i] = static_cast<float>(segment.init.value * random.normal());
      }
    }
  });
}

/// What a matrix is computed with: in an int8 model the embedding and the LM head keep more, their rows are compared
/// with each other.
kernels::Compute compute_of(const Segment& segment, kernels::Compute model) {
  if (model != kernels::Compute::int8 || !(segment.role == SegmentRole::lm_head || segment.lookup)) return model;
  return kernels::has_bfloat16() ? kernels::Compute::bfloat16 : kernels::Compute::float32;
}

/// The segment's values in an arena: what narrow and view give, without their way through the dispatcher, which a decode
/// step of a small model would feel.
at::Tensor part_of(const at::Tensor& arena, const Segment& segment) {
  auto part = c10::make_intrusive<at::TensorImpl>(at::TensorImpl::VIEW, at::Storage(arena.storage()), arena.key_set(),
                                                  arena.dtype());
  part->set_storage_offset(segment.offset);
  part->set_sizes_contiguous(segment.shape);
  return at::Tensor(std::move(part));
}

}  // namespace

std::int64_t Segment::count() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::int64_t Segment::end() const { return offset + aligned(count()); }

const Segment& Parameter::segment() const { return store_->segments_[index_]; }

at::Tensor Parameter::weight() const {
  const Segment& s = segment();
  HONE_ASSERT(store_->in_arena(s));
  store_->draw_if_due(index_);
  return part_of(store_->weights_, s);
}

bool Parameter::in_arena() const { return store_->in_arena(segment()); }

at::Tensor Parameter::rows(const at::Tensor& id_M) const {
  return in_arena() ? kernels::embedding_forward(id_M, weight()) : kernels::embedding_forward(id_M, packed());
}

at::Tensor Parameter::grad() const {
  const Segment& s = segment();
  if (s.frozen || !store_->trainable_) return {};
  return part_of(store_->grads_, s);
}

const kernels::PackedWeight& Parameter::packed() const {
  HONE_ASSERT(store_->packed_[index_] != nullptr);
  return *store_->packed_[index_];
}

const std::vector<LowRankAdapter>& Parameter::adapters() const { return store_->adapters_[index_]; }

RowSource rows_of(const at::Tensor& values) {
  const std::int64_t width = values.numel() / values.size(0);
  return {[values, width](std::int64_t begin, std::int64_t end, float* rows) {
            std::copy_n(values.const_data_ptr<float>() + begin * width, (end - begin) * width, rows);
          },
          false};
}

at::Tensor arena(std::int64_t values) {
  auto pages = std::make_shared<kernels::Pages>(values * static_cast<std::int64_t>(sizeof(float)));
  float* const first = pages->data<float>();
  return at::from_blob(first, {values}, [pages](void*) {}, at::kFloat);
}

ParameterStore::ParameterStore(kernels::Compute compute, bool trainable)
    : ParameterStore(compute, trainable ? WeightUse::train : WeightUse::keep) {}

ParameterStore::ParameterStore(kernels::Compute compute, WeightUse use)
    : compute_(compute), trainable_(use == WeightUse::train), use_(use) {}

Parameter ParameterStore::add(Segment segment) {
  HONE_ASSERT(!weights_.defined());
  HONE_ASSERT(!find(segment.name).defined());
  HONE_ASSERT(!segment.matrix || segment.shape.size() == 2);
  segments_.push_back(std::move(segment));
  adapters_.emplace_back();
  return Parameter(this, segments_.size() - 1);
}

void ParameterStore::attach(const Parameter& matrix, LowRankAdapter adapter) {
  HONE_ASSERT(!weights_.defined() && matrix.segment().matrix);
  HONE_ASSERT(adapter.first_row >= 0 && adapter.first_row + adapter.rows <= matrix.segment().shape[0]);
  adapters_[index_of(matrix.segment().name)].push_back(std::move(adapter));
}

bool ParameterStore::has_adapters() const {
  return std::any_of(adapters_.begin(), adapters_.end(), [](const auto& list) { return !list.empty(); });
}

void ParameterStore::allocate() {
  HONE_ASSERT(use_ != WeightUse::compute || !has_adapters());
  std::int64_t total = 0;
  std::int64_t trained = 0;
  for (const bool frozen : {false, true}) {
    for (Segment& segment : segments_) {
      if (segment.frozen != frozen || !in_arena(segment)) continue;
      segment.offset = total;
      total += aligned(segment.count());
    }
    if (!frozen) trained = total;
  }
  for (const Segment& segment : segments_) packed_.push_back(make_copy(segment));
  draw_due_.resize(segments_.size());
  weights_ = arena(total);
  if (trainable_) grads_ = arena(trained);
  anchor_ = at::zeros({}, at::kFloat).set_requires_grad(trainable_);
}

std::unique_ptr<kernels::PackedWeight> ParameterStore::make_copy(const Segment& segment) const {
  if (use_ == WeightUse::edit || (in_arena(segment) && !segment.matrix)) return nullptr;
  const kernels::Compute compute = compute_of(segment, compute_);
  if (in_arena(segment)) {
    return std::make_unique<kernels::PackedWeight>(segment.shape[0], segment.shape[1], compute, trainable_);
  }
  return std::make_unique<kernels::PackedWeight>(
      segment.shape[0], segment.shape[1], compute,
      kernels::WeightReads{.products = segment.matrix, .rows = segment.lookup});
}

void ParameterStore::initialize(std::uint64_t seed) {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (in_arena(segments_[i])) draw_due_[i] = seed;
  }
}

void ParameterStore::initialize(std::uint64_t seed, std::string_view name) {
  const std::size_t index = index_of(name);
  HONE_ASSERT(in_arena(segments_[index]));
  draw_due_[index] = seed;
}

void ParameterStore::draw_if_due(std::size_t index) {
  const std::optional<std::uint64_t> seed = std::exchange(draw_due_[index], std::nullopt);
  if (seed) draw(segments_[index], *seed, weights_.data_ptr<float>() + segments_[index].offset);
}

at::Tensor& ParameterStore::weights() {
  for (std::size_t i = 0; i < segments_.size(); ++i) draw_if_due(i);
  return weights_;
}

void ParameterStore::fill(const Parameter& parameter, const RowSource& source) {
  const Segment& segment = parameter.segment();
  if (!in_arena(segment)) return packed_[index_of(segment.name)]->refresh(source.read, source.bfloat16);
  draw_due_[index_of(segment.name)].reset();
  const std::int64_t width = segment.count() / segment.shape[0];
  float* const values = weights_.data_ptr<float>() + segment.offset;
  parallel_for(segment.shape[0], fill_rows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; row += fill_rows) {
      source.read(row, std::min(row + fill_rows, end), values + row * width);
    }
  });
}

void ParameterStore::refresh() {
  for (std::size_t i = 0; i < segments_.size(); ++i) refresh(i);
  for (std::size_t i = 0; i < segments_.size(); ++i) refresh_norms(i);
}

void ParameterStore::refresh_adapters() {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i].role == SegmentRole::adapter) refresh(i);
  }
  for (std::size_t i = 0; i < segments_.size(); ++i) refresh_norms(i);
}

void ParameterStore::update(const RangeUpdate& change) {
  HONE_ASSERT(trainable_);
  for (std::size_t i = 0; i < segments_.size(); ++i) update(i, change);
  for (std::size_t i = 0; i < segments_.size(); ++i) refresh_norms(i);
}

void ParameterStore::update(std::size_t index, const RangeUpdate& change) {
  constexpr std::int64_t grain = 16384;  // values, the least worth another thread
  const Segment& segment = segments_[index];
  if (segment.frozen) return;
  draw_if_due(index);
  if (packed_[index] == nullptr) {
    return parallel_for(segment.end() - segment.offset, grain, [&](std::int64_t begin, std::int64_t end) {
      change(segment.offset + begin, segment.offset + end);
    });
  }
  const std::int64_t rows = segment.shape[0], width = segment.shape[1];
  packed_[index]->refresh(Parameter(this, index).weight(), [&](std::int64_t begin, std::int64_t end) {
    change(segment.offset + begin * width, end == rows ? segment.end() : segment.offset + end * width);
  });
}

void ParameterStore::refresh(std::size_t index) {
  draw_if_due(index);
  kernels::PackedWeight* const copy = packed_[index].get();
  if (copy == nullptr || (!in_arena(segments_[index]) && copy->fresh())) return;
  if (in_arena(segments_[index])) return copy->refresh(Parameter(this, index).weight());
  const std::int64_t width = segments_[index].shape[1];
  copy->refresh([width](std::int64_t begin, std::int64_t end, float* rows) { std::fill_n(rows, (end - begin) * width, 0.0F); },
                true);
}

void ParameterStore::refresh_norms(std::size_t index) {
  const at::NoGradGuard no_grad;
  for (LowRankAdapter& adapter : adapters_[index]) {
    if (!adapter.magnitude_N.defined()) continue;
    const at::Tensor base = Parameter(this, index).weight().narrow(0, adapter.first_row, adapter.rows);
    const at::Tensor merged = at::addmm(base, adapter.b_NR.weight(), adapter.a_RK.weight(), 1, adapter.scale);
    adapter.inverse_norm_N = at::linalg_vector_norm(merged, 2, at::IntArrayRef{1}).reciprocal_();
  }
}

Parameter ParameterStore::find(std::string_view name) {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i].name == name) return Parameter(this, i);
  }
  return {};
}

std::size_t ParameterStore::index_of(std::string_view name) const {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i].name == name) return i;
  }
  fail(ErrorKind::internal, "the parameter store has no segment '{}'", name);
}

void ParameterStore::zero_grads() {
  constexpr std::int64_t grain = std::int64_t{1} << 18;  // 1 MiB
  float* const values = grads_.data_ptr<float>();
  parallel_for(grads_.numel(), grain,
               [&](std::int64_t begin, std::int64_t end) { std::fill(values + begin, values + end, 0.0F); });
}

std::int64_t ParameterStore::parameters() const {
  std::int64_t total = 0;
  for (const Segment& segment : segments_) total += segment.count();
  return total;
}

std::int64_t ParameterStore::trained_parameters() const {
  std::int64_t total = 0;
  for (const Segment& segment : segments_) total += segment.frozen ? 0 : segment.count();
  return total;
}

std::int64_t ParameterStore::packed_bytes() const {
  std::int64_t total = 0;
  for (const auto& packed : packed_) total += packed == nullptr ? 0 : packed->bytes();
  return total;
}

std::int64_t ParameterStore::held_bytes() const {
  const std::int64_t floats = weights_.numel() + (grads_.defined() ? grads_.numel() : 0);
  return floats * static_cast<std::int64_t>(sizeof(float)) + packed_bytes();
}

}  // namespace hone
