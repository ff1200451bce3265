#pragma once

#include "algo/batch.h"
#include "data/packing.h"

namespace hone {

/// The packed rows of src/data as tensors.
Batch to_batch(const PackedRows& rows);

}  // namespace hone
