#pragma once

#include <functional>
#include <memory>

#include "app/root_config.h"
#include "stages/run.h"

namespace hone {

/// Prepares threads, memory and LibTorch for this process: one team of threads (hone's), large buffers kept instead of
/// being returned to the kernel. Call once, before the first tensor.
void prepare_process(std::int64_t threads);

/// The compute type that a choice means on this machine.
kernels::Compute compute_of(ComputeChoice choice);

/// A sandbox, started when something first asks for it.
std::function<std::shared_ptr<Executor>()> lazy_sandbox(const SandboxConfig& config);

/// A run with tokenizer, architecture and first weights, but no report and no directory on disk.
std::unique_ptr<Run> prepare_run(const RootConfig& config);

/// Reads what the stages from `first` on learn from as far as files have it, so that Error{data} tells of wrong rows of
/// any of them before one takes a step. Only the first's stay in memory, in its start: the others are encoded again when
/// their turn comes.
StageStart prepare_stages(Run& run, const RootConfig& config, std::size_t first);

/// Runs every stage, or those that an earlier process left in the run's directory (run_directory.h), to the same end.
/// SIGINT, SIGTERM and SIGUSR1 save and arrive as Error{stopped} or Error{preempted} (base/stop.h).
void run_experiment(const RootConfig& config, bool fresh);

}  // namespace hone
