#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/linear/linear.h"

/// Where the weights live: one flat float32 arena with named segments, one of gradients beside it, and one packed
/// compute copy of each matrix. AdamW is a pass over the arena, sharding is a split of it, a broadcast is one call. A
/// model that only computes has no matrix in the arena: each weight exists once.
namespace hone {

/// What a store keeps of its weights.
enum class WeightUse : std::uint8_t {
  train,    ///< float32 values, gradients, and compute copies for forward and backward
  keep,     ///< float32 values and compute copies for forward: can be saved, and copied from
  compute,  ///< compute copies, and float32 values of what has none: each weight once
  edit      ///< float32 values alone: to change weights and write files, not to compute
};

enum class SegmentRole {
  trunk,
  lm_head,  ///< what only the LM head has
  head,     ///< of a task
  critic,
  adapter
};

/// How a new segment's values are drawn.
struct Init {
  enum class Kind { normal, constant };
  Kind kind = Kind::normal;
  double value = 0.02;  ///< standard deviation, or the constant
};
inline Init normal_init(double deviation) { return {Init::Kind::normal, deviation}; }
inline Init constant_init(double value) { return {Init::Kind::constant, value}; }

/// How a Hugging Face tensor lies in its file, where that differs from the segment's rows.
struct PartLayout {
  bool transposed = false;  ///< the file has [columns, rows] (GPT-2's Conv1D)
  /// Rows of the file are [outer][inner][width], those of the segment [inner][outer][width] (GPT-NeoX: heads, then 3).
  std::int64_t outer = 1;
  std::int64_t inner = 1;
};

/// One Hugging Face tensor inside a segment: fused matrices hold several, one after the other along dimension 0.
struct SegmentPart {
  std::string hf_name;
  std::int64_t rows = 0;
  PartLayout layout;
};

struct Segment {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<SegmentPart> parts;  ///< in fused order; rows sum to shape[0]
  Init init;
  SegmentRole role = SegmentRole::trunk;
  bool decay = true;     ///< weight decay applies (matrices, not norms and biases)
  bool matrix = false;   ///< has a packed copy for linear layers
  bool frozen = false;   ///< no gradient, no update
  bool lookup = false;   ///< rows are picked by ids
  double lr_scale = 1.0;
  std::int64_t offset = 0;  ///< in floats, a multiple of 16 (one cache line)
  std::int64_t count() const;
  std::int64_t end() const;  ///< offset of what follows: past the alignment gap
};

struct LowRankAdapter;

class ParameterStore;

/// A handle to one segment; valid as long as its store. Cheap to copy.
class Parameter {
 public:
  Parameter() = default;
  Parameter(ParameterStore* store, std::size_t index) : store_(store), index_(index) {}
  bool defined() const { return store_ != nullptr; }
  const Segment& segment() const;
  at::Tensor weight() const;  ///< view of the arena in the segment's shape; not of what is not in it
  bool in_arena() const;      ///< only the matrices and tables of WeightUse::compute are not
  /// View of the gradient arena to add to, or undefined when the segment is frozen or the store keeps no gradients.
  at::Tensor grad() const;
  const kernels::PackedWeight& packed() const;  ///< only of a matrix
  at::Tensor rows(const at::Tensor& id_M) const;  ///< of a table, picked by int32 ids: [M, columns]
  const std::vector<LowRankAdapter>& adapters() const;  ///< of a matrix
  const ParameterStore& store() const { return *store_; }

 private:
  ParameterStore* store_ = nullptr;
  std::size_t index_ = 0;
};

/// A low-rank update of some rows of a matrix (Hu et al. 2021): y[rows] += scale · B·A·x. With a magnitude it is DoRA
/// (Liu et al. 2024, equation 5): W' = m ∘ (W + scale · B·A) / ‖W + scale · B·A‖ by rows, the norm taken as a constant.
struct LowRankAdapter {
  std::int64_t first_row = 0;  ///< of the segment
  std::int64_t rows = 0;
  double scale = 1;
  Parameter a_RK;
  Parameter b_NR;
  Parameter magnitude_N;    ///< undefined: LoRA
  at::Tensor inverse_norm_N;  ///< DoRA: 1 / ‖W + scale · B·A‖ of each row, current after refresh
};

/// How adapters take part in the passes that follow.
struct AdapterUse {
  double dropout = 0;   ///< of their inputs
  std::uint64_t dropout_key = 0;
};

/// Where a segment's values come from.
struct RowSource {
  kernels::RowReader read;  ///< rows of the segment, in float32
  bool bfloat16 = false;    ///< every value is one in bfloat16
};
/// The rows of a float32 tensor, which must stay alive.
RowSource rows_of(const at::Tensor& values);

/// Flat zeros in float32, which take memory only once they are written; in huge pages where they fit.
at::Tensor arena(std::int64_t values);

/// Changes values [begin, end) of a store's arenas.
using RangeUpdate = std::function<void(std::int64_t begin, std::int64_t end)>;

/// Call order: add* allocate (initialize | fill)* refresh, then any number of (use, update, refresh).
class ParameterStore {
 public:
  /// `trainable`: for training, else with values that can be saved.
  ParameterStore(kernels::Compute compute, bool trainable);
  ParameterStore(kernels::Compute compute, WeightUse use);
  ParameterStore(const ParameterStore&) = delete;
  ParameterStore& operator=(const ParameterStore&) = delete;

  /// Declares a segment; its name must be new.
  Parameter add(Segment segment);
  /// Gives a matrix an adapter, whose parameters are segments of this store. Before allocate.
  void attach(const Parameter& matrix, LowRankAdapter adapter);
  /// Lays the arenas out: trained segments first, so that gradients and moments have no place for frozen ones. No add
  /// after it.
  void allocate();
  /// Draws every segment from its own random stream, so that a value depends on (seed, name) and not on what else
  /// the model has. A segment is drawn when it is first looked at, so that those which are filled first cost nothing.
  void initialize(std::uint64_t seed);
  /// Draws only the named segment anew.
  void initialize(std::uint64_t seed, std::string_view name);
  /// Takes over all values of a segment: into the arena, or straight into its compute copy where it is not in it.
  void fill(const Parameter& parameter, const RowSource& source);
  /// Makes the packed copies current. Call after every change of the weights. Copies of what is not in the arena are so
  /// already; those that were never filled become zero.
  void refresh();
  /// The same after a change of adapters alone.
  void refresh_adapters();
  /// Changes the trained segments and makes their packed copies current in one pass: what is packed is still in the
  /// cache. `change` is called by several threads at once, for ranges that cover the arena of gradients once and begin at
  /// a cache line.
  void update(const RangeUpdate& change);

  Parameter find(std::string_view name);  ///< undefined handle when there is none
  /// What passes use from now on.
  void use_adapters(const AdapterUse& use) { adapter_use_ = use; }
  const AdapterUse& adapter_use() const { return adapter_use_; }
  /// Whether blocks keep their inputs alone for backward, which computes their forward again (nn/recompute.h): memory of
  /// one block's activations instead of all blocks', for about a third more time.
  void set_gradient_checkpointing(bool on) { gradient_checkpointing_ = on; }
  bool gradient_checkpointing() const { return gradient_checkpointing_; }
  bool has_adapters() const;
  const std::vector<Segment>& segments() const { return segments_; }
  std::vector<Segment>& segments() { return segments_; }

  /// A scalar that requires a gradient and never gets a meaningful one: gives layers whose only inputs are ids or
  /// frozen activations a node in the autograd graph.
  const at::Tensor& anchor() const { return anchor_; }

  bool trainable() const { return trainable_; }
  kernels::Compute compute() const { return compute_; }
  WeightUse use() const { return use_; }
  at::Tensor& weights();  ///< the flat arena
  /// The flat arena of gradients, of the trained segments alone; undefined unless trainable.
  at::Tensor& grads() { return grads_; }
  void zero_grads();
  std::int64_t parameters() const;    ///< values, without alignment gaps
  std::int64_t trained_parameters() const;  ///< those of segments that are not frozen
  std::int64_t packed_bytes() const;
  std::int64_t held_bytes() const;  ///< of values, gradients and compute copies
  /// Optimizer steps these weights have seen.
  std::int64_t version() const { return version_; }
  void set_version(std::int64_t version) { version_ = version; }

 private:
  friend class Parameter;
  friend class SamplingCopy;
  std::size_t index_of(std::string_view name) const;
  bool in_arena(const Segment& segment) const {
    return use_ != WeightUse::compute || !(segment.matrix || segment.lookup);
  }
  std::unique_ptr<kernels::PackedWeight> make_copy(const Segment& segment) const;
  void draw_if_due(std::size_t index);
  void refresh(std::size_t index);
  void update(std::size_t index, const RangeUpdate& change);
  void refresh_norms(std::size_t index);

  kernels::Compute compute_;
  bool trainable_;
  WeightUse use_;
  bool gradient_checkpointing_ = false;
  std::vector<Segment> segments_;
  std::vector<std::unique_ptr<kernels::PackedWeight>> packed_;
  std::vector<std::vector<LowRankAdapter>> adapters_;  ///< by segment
  AdapterUse adapter_use_;
  at::Tensor weights_, grads_, anchor_;
  std::int64_t version_ = 0;
  std::vector<std::optional<std::uint64_t>> draw_due_;  ///< by segment: the seed
};

}  // namespace hone
