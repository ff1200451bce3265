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

/// Views of segments under their Hugging Face names; tensors that lie otherwise in files are copied.
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

/// Copies the tensors of `file` into the segments that are wanted. `prefix`: what the names of the trunk begin with,
/// unless no tensor of the file does (a checkpoint of the base model alone). Error{data} naming `directory` that lists
/// tensors of another shape or without float values.
LoadReport copy_from_file(Model& model, const Safetensors& file, const SegmentFilter& wanted, const std::string& prefix,
                          const std::filesystem::path& directory);

/// "; "-joined, the first eight of them and how many more there are.
std::string listed(const std::vector<std::string>& problems);

}  // namespace hone
