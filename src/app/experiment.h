#pragma once

#include <memory>

#include "app/root_config.h"
#include "stages/run.h"

namespace hone {

/// Prepares threads, memory and LibTorch for this process: one team of threads (hone's), large buffers kept instead of
/// being returned to the kernel. Call once, before the first tensor.
void prepare_process(std::int64_t threads);

/// The compute type that a choice means on this machine.
kernels::Compute compute_of(ComputeChoice choice);

/// A run with tokenizer, architecture and first weights, but no report and no directory on disk.
std::unique_ptr<Run> prepare_run(const RootConfig& config);

/// Runs every stage. `fresh` moves an existing run directory aside; without it an existing one is Error{config}.
void run_experiment(const RootConfig& config, bool fresh);

}  // namespace hone
