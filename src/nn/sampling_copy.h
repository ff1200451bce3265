#pragma once

#include <memory>
#include <vector>

#include "nn/parameter_store.h"

namespace hone {

/// Second compute copies of a model's matrices, in int8, for generation that is cheaper than training's arithmetic. The
/// embedding, the LM head and adapters have none: generation reads those that training reads.
class SamplingCopy {
 public:
  /// `store` must outlive it.
  explicit SamplingCopy(ParameterStore& store);

  /// Packs the current weights. Forward passes of the store read the copies while it lives; weights must not change and
  /// no backward pass may run until then.
  class Use {
   public:
    explicit Use(SamplingCopy& copy);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    SamplingCopy& copy_;
  };

  std::int64_t bytes() const;

 private:
  void exchange();

  ParameterStore& store_;
  std::vector<std::unique_ptr<kernels::PackedWeight>> copies_;  ///< by segment, as the store's own; null: none
};

}  // namespace hone
