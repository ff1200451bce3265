#include "stages/pass_plan.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/scalars.h"

namespace hone {

namespace {

constexpr const char* automatic = "auto";
constexpr double share_of_free = 0.8;
/// Smaller passes read all weights and gradients for little work: rather compute blocks again.
constexpr std::int64_t least_tokens = 256;
/// Buffers of kernels that are held from one call to the next, and what the allocator cannot give to a later tensor.
constexpr std::int64_t kernel_buffers = 64LL << 20;
constexpr double allocator_loss = 1.1;

std::int64_t needed(const PassMemory& pass, std::int64_t tokens, const PassNeeds& needs) {
  return needs.later + kernel_buffers + static_cast<std::int64_t>(allocator_loss * static_cast<double>(pass.bytes(tokens)));
}

/// Most tokens of a pass that fits, a multiple of 64 where there are so many; may be below 1.
std::int64_t fitting(const PassMemory& pass, const PassNeeds& needs, std::int64_t room) {
  const double left = static_cast<double>(room - needs.later - kernel_buffers) / allocator_loss - pass.fixed;
  const auto tokens = static_cast<std::int64_t>(left / std::max(1.0, pass.per_token));
  return tokens >= 64 ? tokens / 64 * 64 : tokens;
}

MemoryRoom room_for(const std::string& memory) {
  const std::int64_t held = std::max<std::int64_t>(0, held_memory());
  if (memory != automatic) return {held, parse_bytes(memory)->count - held, "memory: " + memory};
  const std::int64_t free = available_memory();
  if (free < 0) return {held, std::numeric_limits<std::int64_t>::max() / 4, "this system does not say how much memory is free"};
  return {held, static_cast<std::int64_t>(share_of_free * static_cast<double>(free)),
          fmt::format("{:.0f} % of the {} that are free", 100 * share_of_free, format_bytes(free))};
}

[[noreturn]] void refuse(const PassWishes& wishes, const PassNeeds& needs, const MemoryRoom& memory, const PassMemory& pass,
                         std::int64_t tokens, const std::string& stage) {
  const std::int64_t whole = memory.held + needed(pass, tokens, needs);
  fail(ErrorKind::config,
       "{}: needs {} of memory: {} that it holds, {} for caches and buffers, {} for a pass of {} tokens with its blocks "
       "computed again; it may take {} ({}). {}, or allow it more by memory: {}MiB",
       stage, format_bytes(whole), format_bytes(memory.held), format_bytes(needs.later + kernel_buffers),
       format_bytes(pass.bytes(tokens)), tokens, format_bytes(std::max<std::int64_t>(0, memory.held + memory.room)),
       memory.allowed,
       wishes.tokens_per_pass.given && tokens > needs.longest ? "Lower tokens_per_pass" : "Take shorter rows or a smaller model",
       (whole >> 20) + 1);
}

}  // namespace

void describe_passes(Fields& f, TokensPerPass& tokens_per_pass, bool& gradient_checkpointing, std::string& memory) {
  f.field("tokens_per_pass", tokens_per_pass.given,
          "Most tokens computed at once; smaller values need less memory and give the same gradient. By default 2048, or "
          "fewer where memory does not suffice.",
          at_least(1));
  f.field("gradient_checkpointing", gradient_checkpointing,
          "Keep only the inputs of the model's blocks for the backward pass, which computes each block again: less memory, "
          "the same gradient, about a third more time. Without this key it is done where memory does not suffice otherwise.");
  f.field("memory", memory,
          "Most memory that the program may take, such as 8GiB; auto: 80 % of what is free. Passes are cut to fit, and blocks "
          "computed again where that is not enough, by a measurement of the model before the stage begins.");
  f.check(memory == automatic || parse_bytes(memory).has_value(), "memory", "must be auto or a size such as 8GiB");
}

void PassPlan::exchange(TrainerState& state) {
  state.value("passes.tokens", tokens);
  state.value("passes.recompute", recompute);
}

PassPlan decide_passes(const PassWishes& wishes, const PassNeeds& needs, const MemoryRoom& memory,
                       const std::function<PassMemory(bool recompute)>& measured, const std::string& stage) {
  const bool given = wishes.tokens_per_pass.given.has_value();
  // A step of fewer tokens is one pass; a longer row is a pass of its own.
  const std::int64_t of_step = needs.step_tokens > 0 ? needs.step_tokens : std::numeric_limits<std::int64_t>::max();
  const std::int64_t most = wishes.tokens_per_pass;
  const auto real = [&](std::int64_t tokens) { return std::min(std::max(tokens, needs.longest), of_step); };
  const std::int64_t least = given ? most : std::min(most, std::max(needs.longest, least_tokens));
  PassMemory pass;
  for (const bool recompute : {false, true}) {
    if (wishes.gradient_checkpointing && !recompute) continue;
    pass = measured(recompute);
    const std::int64_t smallest = given || !recompute ? least : std::min(most, needs.longest);
    const std::int64_t tokens = needed(pass, real(most), needs) <= memory.room ? most
                                : given                                        ? 0
                                                                               : std::min(most, fitting(pass, needs, memory.room));
    if (tokens < smallest || needed(pass, real(tokens), needs) > memory.room) continue;
    log_info("{}: passes of at most {} tokens{}: {} held, {} to come, {} a pass; {}", stage, tokens,
             recompute ? ", blocks computed again" : "", format_bytes(memory.held), format_bytes(needs.later),
             format_bytes(pass.bytes(real(tokens))), memory.allowed);
    return {tokens, recompute};
  }
  refuse(wishes, needs, memory, pass, real(given ? most : std::min(most, needs.longest)), stage);
}

PassPlan plan_passes(Model& model, const PassWishes& wishes, const PassNeeds& needs, const std::string& stage) {
  const auto measured = [&](bool recompute) {
    return measure_pass(model, {.recompute = recompute, .dropout = wishes.dropout, .longest = needs.longest});
  };
  // What is held is looked at after the measurement, which touches gradients and the buffers of kernels. The optimizer's
  // moments were written when they were made.
  const PassMemory kept = measured(wishes.gradient_checkpointing);
  return decide_passes(wishes, needs, room_for(wishes.memory),
                       [&](bool recompute) { return recompute == wishes.gradient_checkpointing ? kept : measured(recompute); },
                       stage);
}

}  // namespace hone
