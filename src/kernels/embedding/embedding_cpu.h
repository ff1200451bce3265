#pragma once

#include <stdint.h>

#include "kernels/isa.h"

/// dweight[id[t]][i] += dout[t][i] for i in [begin, end), in ascending t. Rows are `width` floats apart.
HONE_DECLARE_KERNEL(void, embedding_add_columns,
                    (const float* dout, const int32_t* id, int64_t rows, int64_t width, int64_t begin, int64_t end,
                     float* dweight))
