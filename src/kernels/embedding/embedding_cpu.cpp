#include "kernels/embedding/embedding_cpu.h"

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

void embedding_add_columns(const float* dout, const int32_t* id, int64_t rows, int64_t width, int64_t begin,
                           int64_t end, float* dweight) {
  for (int64_t t = 0; t < rows; ++t) {
    const float* from = dout + t * width;
    float* to = dweight + id[t] * width;
    int64_t i = begin;
    for (; i + vector_lanes <= end; i += vector_lanes)
      store_floats(to + i, load_floats(to + i) + load_floats(from + i));
    for (; i < end; ++i) to[i] += from[i];
  }
}

}  // namespace hone::kernels::HONE_ISA
