#include "plugin/pool_options.h"

#include "base/random.h"

namespace hone {

void PoolOptions::describe(Fields& f) {
  f.field("workers", workers, "Processes, each with one call at a time.", between(1, 1024));
  f.field("batch", batch, "Most episodes a call.", between(1, 1'000'000));
  f.field("timeout", timeout, "A call that takes longer fails: its process is killed and started again.", above(0));
  f.field("start_timeout", start_timeout, "Time to say hello, imports included.", above(0));
  f.field("max_reply", max_reply, "Longest reply; more is a failure.", at_least(1024));
  f.field("max_memory", max_memory, "Address space that each of its processes may have; 0: no limit.", at_least(0));
  f.field("config", config, "Handed to the plug-in.");
}

WorkerSpec PoolOptions::worker(std::string name, std::string kind, std::vector<std::string> command,
                               const Services& services) const {
  Json values = Json::object();
  for (const auto& [key, value] : config) values.set(key, value);
  const std::uint64_t seed = plugin_key(services, name);
  return {.name = std::move(name),
          .process = {.command = std::move(command), .max_memory = max_memory.count},
          .kind = std::move(kind),
          .config = std::move(values),
          .seed = seed,
          .start_seconds = start_timeout.count,
          .max_reply_bytes = max_reply.count};
}

std::uint64_t plugin_key(const Services& services, const std::string& name) {
  return stream_key(services.seed, "plugin/" + name);
}

}  // namespace hone
