/* Dies in the way that a completion asks for; what does not ask gets its seed's first random number. */
#include <hone/plugin.h>

#include <stdio.h>
#include <stdlib.h>

static const hone_host* host;

static int32_t score(void* instance, hone_call* call, const hone_item* const* items, uint64_t count) {
  uint64_t i;
  (void)instance;
  for (i = 0; i < count; ++i) {
    const hone_item* item = items[i];
    volatile int* nowhere = NULL;
    if (hone_same(item->completion, hone_string("abort"))) fprintf(stderr, "last words\n"), abort();
    if (hone_same(item->completion, hone_string("segv"))) *nowhere = 1;
    if (hone_same(item->completion, hone_string("exit"))) exit(0);
    while (hone_same(item->completion, hone_string("loop"))) continue;
    host->score(call, i, hone_uniform(host->random(item->seed, 0)));
  }
  return HONE_OK;
}

static const hone_reward reward = {
    .size = sizeof(hone_reward), .threads = HONE_THREADS_ANY, .deterministic = 1, .score = score};
static const hone_plugin plugin = {
    .size = sizeof(hone_plugin), .abi = HONE_PLUGIN_ABI, .name = "crash", .reward = &reward};

const hone_plugin* hone_plugin_entry(const hone_host* given) {
  host = given;
  return &plugin;
}
