// C++ over the C of plugin.h, with exceptions that nothing in the plug-in catches: in the function that WHERE names.
#include <hone/plugin.h>

#include <stdexcept>

#define IN_ENTRY 1
#define IN_CREATE 2
#define IN_SCORE 3

namespace {

std::int32_t create(const hone_host*, hone_call*, const hone_setup*, void**) {
  if (WHERE == IN_CREATE) throw std::runtime_error("thrown in create");
  return HONE_OK;
}

std::int32_t score(void*, hone_call*, const hone_item* const* items, std::uint64_t) {
  if (items[0]->completion.size == 0) throw 3;
  throw std::runtime_error("thrown in score");
}

const hone_reward reward = {sizeof(hone_reward), HONE_SCOPE_SAMPLE, HONE_THREADS_ANY, 0, 0, create, nullptr, score};
const hone_plugin plugin = {sizeof(hone_plugin), HONE_PLUGIN_ABI, 0, "throwing", &reward, nullptr};

}  // namespace

const hone_plugin* hone_plugin_entry(const hone_host*) {
  if (WHERE == IN_ENTRY) throw std::runtime_error("thrown in the entry");
  return &plugin;
}
