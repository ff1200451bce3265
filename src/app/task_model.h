#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "nn/model.h"
#include "text/tokenizer.h"

namespace hone {

/// A model directory opened for one task, with the head that its class has. Computes in float32: scores are those of
/// transformers.
struct TaskModel {
  explicit TaskModel(const std::string& directory);

  std::string directory;
  Json config;
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<Model> model;

  /// Hidden states [T, D] of one text's ids. Error{data} when there are more than the context has.
  at::Tensor hidden(const std::vector<std::int32_t>& ids, const std::vector<std::int32_t>& type_ids) const;
  /// Error{data} naming the task when the model has no such head.
  void require_head(HeadKind kind, const std::string& task) const;
  /// The head's outputs at the rows that it reads, [M, outputs].
  at::Tensor scores(const at::Tensor& hidden_TD) const;
};

at::Tensor int_tensor(const std::vector<std::int32_t>& ids);
/// The plan of one sequence without a cache.
kernels::AttentionPlan single_plan(std::int64_t length);

/// Values of a contiguous float32 tensor.
std::span<const float> floats_of(const at::Tensor& tensor);

}  // namespace hone
