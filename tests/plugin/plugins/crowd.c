/* A reward whose value is how many calls were under way at once: in the instance, and in the process as a part. THREADS
 * says what it declares. Waits a moment for company, a bounded one. */
#define _POSIX_C_SOURCE 200809L
#include <hone/plugin.h>

#include <stdlib.h>
#include <time.h>

typedef struct room {
  const hone_host* host;
  int32_t inside;
} room;

static int32_t in_process;
static int32_t instances;

static int32_t create(const hone_host* host, hone_call* call, const hone_setup* setup, void** instance) {
  room* made = (room*)calloc(1, sizeof(room));
  (void)setup;
  made->host = host;
  host->metric(call, hone_string("instances"), (double)__atomic_add_fetch(&instances, 1, __ATOMIC_SEQ_CST));
  *instance = made;
  return HONE_OK;
}

static void destroy(void* instance) {
  __atomic_sub_fetch(&instances, 1, __ATOMIC_SEQ_CST);
  free(instance);
}

static void raise_to(int32_t* most, const int32_t* now) {
  int32_t seen = __atomic_load_n(now, __ATOMIC_SEQ_CST);
  if (seen > *most) *most = seen;
}

static int32_t score(void* instance, hone_call* call, const hone_item* const* items, uint64_t count) {
  room* self = (room*)instance;
  const struct timespec moment = {0, 1000000};
  int32_t most_here = 0, most_in_process = 0, waited;
  uint64_t i;
  (void)items;
  __atomic_add_fetch(&self->inside, 1, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&in_process, 1, __ATOMIC_SEQ_CST);
  for (waited = 0; waited < WAIT && most_in_process < 2; ++waited) {
    nanosleep(&moment, NULL);
    raise_to(&most_here, &self->inside);
    raise_to(&most_in_process, &in_process);
  }
  nanosleep(&moment, NULL); /* so that the other sees this one too */
  for (i = 0; i < count; ++i) {
    self->host->score(call, i, most_here);
    self->host->part(call, i, hone_string("process"), most_in_process);
  }
  nanosleep(&moment, NULL);
  __atomic_sub_fetch(&in_process, 1, __ATOMIC_SEQ_CST);
  __atomic_sub_fetch(&self->inside, 1, __ATOMIC_SEQ_CST);
  return HONE_OK;
}

static const hone_reward reward = {
    .size = sizeof(hone_reward), .threads = THREADS, .create = create, .destroy = destroy, .score = score};
static const hone_plugin plugin = {
    .size = sizeof(hone_plugin), .abi = HONE_PLUGIN_ABI, .name = "crowd", .reward = &reward};

const hone_plugin* hone_plugin_entry(const hone_host* host) {
  (void)host;
  return &plugin;
}
