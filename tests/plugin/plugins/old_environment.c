/* An environment with the table of a header that knew nothing behind `prompt`: what follows it in memory is no pointer.
 */
#include <hone/plugin.h>

static const hone_host* host;

static uint64_t prompts(void* instance, hone_call* call, int32_t split) {
  (void)instance, (void)call;
  return split == HONE_SPLIT_TRAIN ? 5 : 2;
}

static int32_t prompt(void* instance, hone_call* call, int32_t split, uint64_t index, uint64_t seed) {
  (void)instance, (void)split, (void)seed;
  if (index == 4) {
    host->fail(call, hone_string("four is missing"));
    return HONE_FAILED;
  }
  if (index == 3) return HONE_OK;
  if (index == 2) {
    host->prompt_text(call, hone_string("x"));
    host->prompt_reference(call, hone_string("{not JSON"));
    return HONE_OK;
  }
  host->prompt_message(call, hone_string("system"), hone_string("Be short."));
  host->prompt_message(call, hone_string("user"), hone_string(index == 0 ? "1+1" : "2+2"));
  host->prompt_reference(call, hone_string(index == 0 ? "{\"answer\": \"2\"}" : "4"));
  host->prompt_demonstration(call, hone_string(index == 0 ? "2" : "4"));
  return HONE_OK;
}

typedef struct old_environment {
  uint64_t size;
  int32_t deterministic;
  int32_t reserved;
  int32_t (*create)(const hone_host* host, hone_call* call, const hone_setup* setup, void** instance);
  void (*destroy)(void* instance);
  uint64_t (*prompts)(void* instance, hone_call* call, int32_t split);
  int32_t (*prompt)(void* instance, hone_call* call, int32_t split, uint64_t index, uint64_t seed);
} old_environment;

static const struct {
  old_environment table;
  uint64_t garbage[8];
} environment = {{sizeof(old_environment), 1, 0, NULL, NULL, prompts, prompt}, {1, 1, 1, 1, 1, 1, 1, 1}};

static const hone_plugin plugin = {.size = sizeof(hone_plugin),
                                   .abi = HONE_PLUGIN_ABI,
                                   .name = "old",
                                   .environment = (const hone_environment*)(const void*)&environment};

const hone_plugin* hone_plugin_entry(const hone_host* given) {
  host = given;
  return &plugin;
}
