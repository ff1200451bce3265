#include "stages/model_tensors.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "base/error.h"
#include "io/tensor_values.h"

namespace hone {

namespace {

/// Shape of one part of a segment in our own layout: its rows, then the segment's other dimensions.
std::vector<std::int64_t> own_shape(const Segment& segment, const SegmentPart& part) {
  std::vector<std::int64_t> shape = segment.shape;
  shape[0] = part.rows;
  return shape;
}

std::vector<std::int64_t> file_shape(const Segment& segment, const SegmentPart& part) {
  std::vector<std::int64_t> shape = own_shape(segment, part);
  if (part.layout.transposed) std::reverse(shape.begin(), shape.end());
  return shape;
}

bool lies_alike(const PartLayout& layout) { return !layout.transposed && layout.outer * layout.inner == 1; }

/// Rows [a][b][width] as [b][a][width].
at::Tensor swapped_rows(const at::Tensor& rows, std::int64_t a, std::int64_t b) {
  const at::Tensor grouped = rows.reshape({a, b, -1});
  return grouped.transpose(0, 1).contiguous().view(rows.sizes());
}

at::Tensor to_file(const at::Tensor& own, const PartLayout& layout) {
  const at::Tensor rows = swapped_rows(own, layout.inner, layout.outer);
  return layout.transposed ? rows.t().contiguous() : rows;
}

at::Tensor part_of(const at::Tensor& arena, const Segment& segment, const SegmentPart& part, std::int64_t first_row) {
  const std::int64_t width = segment.count() / segment.shape[0];
  return arena.narrow(0, segment.offset + first_row * width, part.rows * width).view(own_shape(segment, part));
}

/// Copies one tensor into its place; returns what is wrong, or "".
std::string copy_part(const TensorView& view, const Segment& segment, const SegmentPart& part, at::Tensor place) {
  const std::vector<std::int64_t> expected = file_shape(segment, part);
  if (view.shape != expected) {
    return fmt::format("tensor '{}' has shape {}, expected {}", view.name, shape_text(view.shape), shape_text(expected));
  }
  if (!has_float32_values(view.dtype)) {
    return fmt::format("tensor '{}' is {}, expected F32, BF16, F16 or F64", view.name, dtype_name(view.dtype));
  }
  if (lies_alike(part.layout)) {
    copy_as_float32(view, place.data_ptr<float>());
  } else {
    const at::Tensor stored = at::empty(expected, at::kFloat);
    copy_as_float32(view, stored.data_ptr<float>());
    place.copy_(from_file(stored, part.layout));
  }
  return "";
}

/// Finds tensors by the names of the class with a head, also in a checkpoint of the base model alone.
class Names {
 public:
  Names(const Safetensors& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {
    const auto has_prefix = [this](const TensorView& view) { return view.name.starts_with(prefix_); };
    base_alone_ = std::none_of(file.tensors().begin(), file.tensors().end(), has_prefix);
  }
  const TensorView* find(std::string_view name) const {
    if (base_alone_ && name.starts_with(prefix_)) name.remove_prefix(prefix_.size());
    const TensorView* view = file_.find(name);
    return view != nullptr ? view : file_.find(first_name(name));
  }
  std::string full(const std::string& name) const { return base_alone_ ? prefix_ + name : name; }

 private:
  /// The first BERT checkpoints call the tensors of norms gamma and beta.
  static std::string first_name(std::string_view name) {
    for (const auto& [now, then] : {std::pair("LayerNorm.weight", "LayerNorm.gamma"), {"LayerNorm.bias", "LayerNorm.beta"}}) {
      if (name.ends_with(now)) return std::string(name.substr(0, name.size() - std::strlen(now))) + then;
    }
    return {};
  }

  const Safetensors& file_;
  std::string prefix_;
  bool base_alone_ = false;
};

/// Whether a tensor is the same as one that was read: tied weights may lie in a file more than once.
bool is_copy(const TensorView& view, const Safetensors& file, const std::set<std::string, std::less<>>& read) {
  const auto same = [&](const TensorView& other) {
    return read.count(other.name) > 0 && other.dtype == view.dtype && other.shape == view.shape &&
           std::equal(view.bytes.begin(), view.bytes.end(), other.bytes.begin());
  };
  return std::any_of(file.tensors().begin(), file.tensors().end(), same);
}

}  // namespace

at::Tensor from_file(const at::Tensor& stored, const PartLayout& layout) {
  return swapped_rows(layout.transposed ? stored.t().contiguous() : stored, layout.outer, layout.inner);
}

std::string listed(const std::vector<std::string>& problems) {
  constexpr std::size_t shown = 8;
  const auto end = problems.begin() + static_cast<std::ptrdiff_t>(std::min(shown, problems.size()));
  std::string text = fmt::format("{}", fmt::join(problems.begin(), end, "; "));
  if (problems.size() > shown) text += fmt::format("; and {} more", problems.size() - shown);
  return text;
}

FileTensors file_tensors(Model& model, const SegmentFilter& wanted) {
  FileTensors tensors;
  for (const Segment& segment : model.store.segments()) {
    if (!wanted(segment)) continue;
    std::int64_t row = 0;
    for (const SegmentPart& part : segment.parts) {
      at::Tensor values = part_of(model.store.weights(), segment, part, row);
      if (!lies_alike(part.layout)) values = tensors.copies.emplace_back(to_file(values, part.layout));
      const std::span<const float> floats(values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel()));
      tensors.views.push_back({part.hf_name, DType::f32, file_shape(segment, part), std::as_bytes(floats)});
      row += part.rows;
    }
  }
  return tensors;
}

LoadReport copy_from_file(Model& model, const Safetensors& file, const SegmentFilter& wanted, const std::string& prefix,
                          const std::filesystem::path& directory) {
  const Names names(file, prefix);
  LoadReport report;
  std::vector<std::string> problems;
  std::set<std::string, std::less<>> read;  // as the file names them
  for (const Segment& segment : model.store.segments()) {
    std::int64_t row = 0;
    for (const SegmentPart& part : segment.parts) {
      if (wanted(segment)) {
        const TensorView* view = names.find(part.hf_name);
        if (view != nullptr) read.insert(view->name);
        if (view == nullptr) {
          report.missing.push_back(part.hf_name);
        } else if (std::string problem = copy_part(*view, segment, part, part_of(model.store.weights(), segment, part, row));
                   !problem.empty()) {
          problems.push_back(std::move(problem));
        }
      }
      row += part.rows;
    }
  }
  if (!problems.empty()) {
    fail(ErrorKind::data, "{}: the weights do not fit config.json: {}; is it a checkpoint of another architecture?",
         directory.string(), listed(problems));
  }
  for (const TensorView& view : file.tensors()) {
    std::string name = names.full(view.name);
    if (read.count(view.name) > 0 || model.policy->is_redundant(name) || is_copy(view, file, read)) continue;
    report.unused.push_back(std::move(name));
  }
  return report;
}

}  // namespace hone
