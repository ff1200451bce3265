#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <vector>

#include <ATen/ATen.h>

#include "io/safetensors.h"
#include "nn/model.h"

/// Segments of a model as the tensors of files, and back.
namespace hone {

/// Views of segments under their Hugging Face names; tensors that lie otherwise in files are copied. All values are in
/// the model's arena.
struct FileTensors {
  std::vector<TensorView> views;
  std::deque<at::Tensor> copies;  ///< what some views point into
};
using SegmentFilter = std::function<bool(const Segment&)>;
FileTensors file_tensors(Model& model, const SegmentFilter& wanted);

/// Values of a file's tensor in the order of the segment's rows.
at::Tensor from_file(const at::Tensor& stored, const PartLayout& layout);

/// What loading found, beside the tensors that were copied.
struct LoadReport {
  std::vector<std::string> missing;  ///< of the model, by Hugging Face name
  std::vector<std::string> unused;   ///< of the file
};

/// Changes rows [begin, end) of a segment that were just read; `changes` tells for which segments it does. Called by
/// several threads at once.
struct RowChange {
  std::function<bool(const Segment&)> changes;
  std::function<void(const Segment&, std::int64_t begin, std::int64_t end, float* rows)> apply;
};

/// Fills the segments that are wanted with the tensors of `file`, one segment at a time and a few rows at a time, and
/// changes them as they are read where `change` is given. `prefix`: what the names of the trunk begin with,
/// unless no tensor of the file does (a checkpoint of the base model alone). Error{data} naming `directory` that lists
/// tensors of another shape or without float values.
LoadReport copy_from_file(Model& model, const Safetensors& file, const SegmentFilter& wanted, const std::string& prefix,
                          const std::filesystem::path& directory, const RowChange* change = nullptr);

/// "; "-joined, the first eight of them and how many more there are.
std::string listed(const std::vector<std::string>& problems);

}  // namespace hone
