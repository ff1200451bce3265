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

/// What is wrong with a tensor for its place, or "".
std::string problem_of(const TensorView& view, const Segment& segment, const SegmentPart& part) {
  const std::vector<std::int64_t> expected = file_shape(segment, part);
  if (view.shape != expected) {
    return fmt::format("tensor '{}' has shape {}, expected {}", view.name, shape_text(view.shape), shape_text(expected));
  }
  if (!has_float32_values(view.dtype)) {
    return fmt::format("tensor '{}' is {}, expected F32, BF16, F16 or F64", view.name, dtype_name(view.dtype));
  }
  return "";
}

/// The row of the file's tensor, before it is transposed, that is our row `row` of the part.
std::int64_t file_row(const SegmentPart& part, std::int64_t row) {
  const auto [transposed, outer, inner] = part.layout;
  const std::int64_t width = part.rows / (outer * inner);
  const std::int64_t group = row / width;  // [inner][outer]
  return (group % outer * inner + group / outer) * width + row % width;
}

/// Rows [begin, end) of a part that lies as we hold it.
void read_alike(const TensorView& view, std::int64_t width, std::int64_t begin, std::int64_t end, float* rows) {
  fetch_pages(view, begin * width, end * width);
  copy_as_float32(view, begin * width, end * width, rows);
  release_pages(view, begin * width, end * width);
}

/// Rows [begin, end) of a part that lies otherwise: runs of rows that follow each other in the file too.
void read_moved(const TensorView& view, const SegmentPart& part, std::int64_t width, std::int64_t begin, std::int64_t end,
                float* rows) {
  for (std::int64_t row = begin; row < end;) {
    const std::int64_t from = file_row(part, row);
    std::int64_t run = 1;
    while (row + run < end && file_row(part, row + run) == from + run) ++run;
    float* const to = rows + (row - begin) * width;
    if (!part.layout.transposed) {
      copy_as_float32(view, from * width, (from + run) * width, to);
    } else {
      std::vector<float> column(static_cast<std::size_t>(run));
      for (std::int64_t k = 0; k < width; ++k) {
        copy_as_float32(view, k * part.rows + from, k * part.rows + from + run, column.data());
        for (std::int64_t r = 0; r < run; ++r) to[r * width + k] = column[static_cast<std::size_t>(r)];
      }
    }
    row += run;
  }
}

/// The tensors of one segment, in fused order; null: the file lacks it.
using PartViews = std::vector<const TensorView*>;

/// Rows [begin, end) of a segment from the tensors of its parts. Rows of a part that is missing become zero, or stay as
/// they are in the arena.
void read_rows(const Segment& segment, const PartViews& views, bool in_arena, std::int64_t begin, std::int64_t end,
               float* rows) {
  const std::int64_t width = segment.count() / segment.shape[0];
  std::int64_t first = 0;  // row of the segment
  for (std::size_t i = 0; i < views.size(); ++i) {
    const SegmentPart& part = segment.parts[i];
    const std::int64_t from = std::max(begin, first);
    const std::int64_t to = std::min(end, first + part.rows);
    float* const place = rows + (from - begin) * width;
    if (from < to && views[i] == nullptr) {
      if (!in_arena) std::fill_n(place, (to - from) * width, 0.0F);
    } else if (from < to && lies_alike(part.layout)) {
      read_alike(*views[i], width, from - first, to - first, place);
    } else if (from < to) {
      read_moved(*views[i], part, width, from - first, to - first, place);
    }
    first += part.rows;
  }
}

void fill_segment(ParameterStore& store, const Segment& segment, const PartViews& views, const RowChange* change) {
  if (std::all_of(views.begin(), views.end(), [](const TensorView* view) { return view == nullptr; })) return;
  const Parameter parameter = store.find(segment.name);
  const bool changes = change != nullptr && change->changes(segment);
  RowSource source;
  source.bfloat16 = !changes && std::all_of(views.begin(), views.end(), [](const TensorView* view) {
    return view == nullptr || view->dtype == DType::bf16;
  });
  source.read = [&, in_arena = parameter.in_arena()](std::int64_t begin, std::int64_t end, float* rows) {
    read_rows(segment, views, in_arena, begin, end, rows);
    if (changes) change->apply(segment, begin, end, rows);
  };
  store.fill(parameter, source);
  for (const TensorView* view : views) {  // what lies across the borders of what was read at once
    if (view != nullptr) release_pages(*view, 0, static_cast<std::int64_t>(*element_count(view->shape)));
  }
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
    if (read.count(other.name) == 0 || other.dtype != view.dtype || other.shape != view.shape) return false;
    const bool equal = std::equal(view.bytes.begin(), view.bytes.end(), other.bytes.begin());
    const auto elements = static_cast<std::int64_t>(element_count(view.shape).value_or(0));
    for (const TensorView* compared : {&view, &other}) release_pages(*compared, 0, elements);
    return equal;
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
  HONE_ASSERT(model.store.use() != WeightUse::compute);
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
                          const std::filesystem::path& directory, const RowChange* change) {
  const Names names(file, prefix);
  LoadReport report;
  std::vector<std::string> problems;
  std::set<std::string, std::less<>> read;  // as the file names them
  for (const Segment& segment : model.store.segments()) {
    if (!wanted(segment)) continue;
    PartViews views;
    const std::size_t problems_before = problems.size();
    for (const SegmentPart& part : segment.parts) {
      const TensorView* view = views.emplace_back(names.find(part.hf_name));
      if (view == nullptr) {
        report.missing.push_back(part.hf_name);
        continue;
      }
      read.insert(view->name);
      if (std::string problem = problem_of(*view, segment, part); !problem.empty()) problems.push_back(std::move(problem));
    }
    if (problems.size() == problems_before) fill_segment(model.store, segment, views, change);
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
