/* A reward of 1 for everything, with tables that are right, from another time, or wrong in the way that FAULT says. */
#include <hone/plugin.h>

#define FAULT_NONE 0
#define FAULT_ABI 1
#define FAULT_SMALL 2
#define FAULT_REFUSES 3
#define FAULT_NOTHING 4
#define FAULT_NO_SCORE 5
#define FAULT_SCOPE 6
#define FAULT_NO_NAME 7
#define FAULT_NO_ENTRY 8
#define FAULT_UNRESOLVED 9
#define FAULT_HALF_SAVE 10
#define FAULT_SMALL_REWARD 11
#define FUTURE 20     /* larger tables, as a later header would make them */
#define NEEDS_MORE 21 /* uses a function of the host that only a later host has */

#ifndef FAULT
#define FAULT FAULT_NONE
#endif

static const hone_host* host;

static int32_t score(void* instance, hone_call* call, const hone_item* const* items, uint64_t count) {
  uint64_t i;
  (void)instance;
  for (i = 0; i < count; ++i) host->score(call, i, items[i]->size >= sizeof(hone_item) ? 1.0 : 0.0);
  return HONE_OK;
}

typedef struct later_reward {
  hone_reward now;
  void (*unknown)(void);
} later_reward;
static const later_reward reward = {{.size = FAULT == FAULT_SMALL_REWARD ? 16
                                             : FAULT == FUTURE           ? sizeof(later_reward)
                                                                         : sizeof(hone_reward),
                                     .scope = FAULT == FAULT_SCOPE ? 9 : HONE_SCOPE_BATCH,
                                     .threads = HONE_THREADS_SERIAL,
                                     .score = FAULT == FAULT_NO_SCORE ? NULL : score},
                                    NULL};

#if FAULT == FAULT_HALF_SAVE
static uint64_t prompts(void* instance, hone_call* call, int32_t split) {
  (void)instance, (void)call, (void)split;
  return 1;
}
static int32_t prompt(void* instance, hone_call* call, int32_t split, uint64_t index, uint64_t seed) {
  (void)instance, (void)call, (void)split, (void)index, (void)seed;
  return HONE_FAILED;
}
static int32_t save(void* instance, hone_call* call, const void* state) {
  (void)instance, (void)call, (void)state;
  return HONE_OK;
}
static const hone_environment environment = {
    .size = sizeof(hone_environment), .prompts = prompts, .prompt = prompt, .state_save = save};
#define ENVIRONMENT &environment
#else
#define ENVIRONMENT NULL
#endif

typedef struct later_plugin {
  hone_plugin now;
  int64_t unknown[8];
} later_plugin;
static const later_plugin plugin = {{.size = FAULT == FAULT_SMALL ? 24
                                             : FAULT == FUTURE    ? sizeof(later_plugin)
                                                                  : sizeof(hone_plugin),
                                     .abi = FAULT == FAULT_ABI ? 99 : HONE_PLUGIN_ABI,
                                     .name = FAULT == FAULT_NO_NAME ? NULL : "tables",
                                     .reward = FAULT == FAULT_NOTHING ? NULL : &reward.now,
                                     .environment = ENVIRONMENT},
                                    {0}};

#if FAULT == FAULT_UNRESOLVED
void of_another_library(void);
#endif

typedef struct later_host {
  hone_host now;
  void (*unknown)(void);
} later_host;

#if FAULT == FAULT_NO_ENTRY
HONE_PLUGIN_EXPORT const hone_plugin* hone_entry(const hone_host* given);
const hone_plugin* hone_entry(const hone_host* given) {
#else
const hone_plugin* hone_plugin_entry(const hone_host* given) {
#endif
  host = given;
#if FAULT == FAULT_UNRESOLVED
  of_another_library();
#endif
  if (FAULT == FAULT_REFUSES) return NULL;
  if (FAULT == NEEDS_MORE && given->size < sizeof(later_host)) return NULL;
  return &plugin.now;
}
