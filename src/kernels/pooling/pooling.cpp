#include "kernels/pooling/pooling.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/pooling/pooling_cpu.h"

namespace hone::kernels {

namespace {

constexpr std::int64_t block_columns = 256;  // a unit's sums stay in the first cache

/// Part of the columns of one sequence.
struct Unit {
  std::int64_t sequence;
  std::int64_t first_row;
  std::int64_t rows;
  std::int64_t column;
  std::int64_t columns;
};

const std::int32_t* checked_offsets(const at::Tensor& start_S1) {
  HONE_ASSERT(start_S1.dim() == 1 && start_S1.size(0) >= 1 && start_S1.scalar_type() == at::kInt);
  HONE_ASSERT(start_S1.is_contiguous() && start_S1.device().is_cpu());
  const std::int32_t* start = start_S1.const_data_ptr<std::int32_t>();
  HONE_ASSERT(start[0] == 0);
  for (std::int64_t s = 0; s + 1 < start_S1.size(0); ++s) HONE_ASSERT(start[s] < start[s + 1]);
  return start;
}

void check_floats(const at::Tensor& tensor, std::int64_t rows) {
  HONE_ASSERT(tensor.dim() == 2 && tensor.size(0) == rows && tensor.scalar_type() == at::kFloat);
  HONE_ASSERT(tensor.is_contiguous() && tensor.device().is_cpu());
}

template <class Body>
void over_units(const std::int32_t* start, std::int64_t sequences, std::int64_t width, const Body& body) {
  const std::int64_t blocks = (width + block_columns - 1) / block_columns;
  parallel_for(sequences * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t unit = begin; unit < end; ++unit) {
      const std::int64_t s = unit / blocks;
      const std::int64_t column = unit % blocks * block_columns;
      body(Unit{s, start[s], start[s + 1] - start[s], column, std::min(block_columns, width - column)});
    }
  });
}

/// The one row that `first` and `last` read.
std::int64_t single_row(const Unit& unit, Pooling pooling) {
  return pooling == Pooling::first ? unit.first_row : unit.first_row + unit.rows - 1;
}

}  // namespace

Pooled pool_forward(const at::Tensor& x_TD, const at::Tensor& start_S1, Pooling pooling) {
  const std::int32_t* start = checked_offsets(start_S1);
  const std::int64_t sequences = start_S1.size(0) - 1;
  check_floats(x_TD, start[sequences]);
  const std::int64_t width = x_TD.size(1);
  Pooled result{at::empty({sequences, width}, at::kFloat), {}};
  if (pooling == Pooling::max) result.row_SD = at::empty({sequences, width}, at::kInt);
  const float* x = x_TD.const_data_ptr<float>();
  float* out = result.out_SD.data_ptr<float>();
  std::int32_t* row = pooling == Pooling::max ? result.row_SD.data_ptr<std::int32_t>() : nullptr;
  const auto mean = HONE_SELECT(pool_mean);
  const auto max = HONE_SELECT(pool_max);
  over_units(start, sequences, width, [&](const Unit& unit) {
    const float* from = x + unit.first_row * width + unit.column;
    const std::int64_t to = unit.sequence * width + unit.column;
    if (pooling == Pooling::mean || pooling == Pooling::weighted_mean) {
      mean(from, width, unit.rows, unit.columns, pooling == Pooling::weighted_mean, out + to);
    } else if (pooling == Pooling::max) {
      max(from, width, unit.rows, unit.columns, static_cast<std::int32_t>(unit.first_row), out + to, row + to);
    } else {
      std::memcpy(out + to, x + single_row(unit, pooling) * width + unit.column,
                  static_cast<std::size_t>(unit.columns) * sizeof(float));
    }
  });
  return result;
}

at::Tensor pool_backward(const at::Tensor& dout_SD, const at::Tensor& start_S1, Pooling pooling,
                         const Pooled& forward) {
  const std::int32_t* start = checked_offsets(start_S1);
  const std::int64_t sequences = start_S1.size(0) - 1;
  check_floats(dout_SD, sequences);
  const std::int64_t width = dout_SD.size(1);
  const bool spreads = pooling == Pooling::mean || pooling == Pooling::weighted_mean;
  at::Tensor dx_TD =
      spreads ? at::empty({start[sequences], width}, at::kFloat) : at::zeros({start[sequences], width}, at::kFloat);
  const float* dout = dout_SD.const_data_ptr<float>();
  float* dx = dx_TD.data_ptr<float>();
  const std::int32_t* row = nullptr;
  if (pooling == Pooling::max) {
    HONE_ASSERT(forward.row_SD.sizes() == dout_SD.sizes() && forward.row_SD.scalar_type() == at::kInt);
    row = forward.row_SD.const_data_ptr<std::int32_t>();
  }
  const auto mean = HONE_SELECT(pool_mean_backward);
  over_units(start, sequences, width, [&](const Unit& unit) {
    const std::int64_t from = unit.sequence * width + unit.column;
    if (spreads) {
      mean(dout + from, width, unit.rows, unit.columns, pooling == Pooling::weighted_mean,
           dx + unit.first_row * width + unit.column);
      return;
    }
    for (std::int64_t i = 0; i < unit.columns; ++i) {
      const std::int64_t t = row != nullptr ? row[from + i] : single_row(unit, pooling);
      dx[t * width + unit.column + i] = dout[from + i];
    }
  });
  return dx_TD;
}

}  // namespace hone::kernels
