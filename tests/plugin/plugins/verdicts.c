/* A reward that does what each completion says: every verdict that there is, and every way to get one wrong. */
#include <hone/plugin.h>

#include <math.h>
#include <stdlib.h>

typedef struct state {
  const hone_host* host;
  double scale;
} state;

static int32_t create(const hone_host* host, hone_call* call, const hone_setup* setup, void** instance) {
  hone_text scale = host->config(call, hone_string("scale"));
  state* made;
  if (hone_same(scale, hone_string("none"))) {
    host->fail(call, hone_string("there is no scale"));
    return HONE_FAILED;
  }
  host->log(call, HONE_LOG_WARN, setup->name);
  made = (state*)malloc(sizeof(state));
  made->host = host;
  made->scale = scale.data == NULL ? 1.0 : atof(scale.data);
  *instance = made;
  return HONE_OK;
}

static void destroy(void* instance) { free(instance); }

static void judge(const state* self, hone_call* call, const hone_item* item, uint64_t i) {
  const hone_host* host = self->host;
  hone_text said = item->completion;
  if (hone_same(said, hone_string("right"))) host->score(call, i, self->scale);
  if (hone_same(said, hone_string("abstain"))) host->abstain(call, i, hone_string("no opinion"));
  if (hone_same(said, hone_string("error"))) host->error(call, i, hone_string("cannot judge \xff this"));
  if (hone_same(said, hone_string("nan"))) host->score(call, i, NAN);
  if (hone_same(said, hone_string("huge"))) host->score(call, i, 1e308);
  if (hone_same(said, hone_string("twice"))) host->score(call, i, 1), host->score(call, i, 1);
  if (hone_same(said, hone_string("surplus"))) host->score(call, i, 1), host->score(call, 1000, 1);
  if (hone_same(said, hone_string("seed"))) host->score(call, i, hone_uniform(host->random(item->seed, 7)));
  if (hone_same(said, hone_string("answer"))) {
    if (item->answer.data == NULL) host->abstain(call, i, hone_string("no answer"));
    else host->score(call, i, atof(item->answer.data));
  }
  if (hone_same(said, hone_string("second"))) {
    hone_text list = host->json_member(call, item->reference, hone_string("list"));
    host->score(call, i, atof(host->json_member(call, list, hone_string("1")).data));
  }
  if (hone_same(said, hone_string("rich"))) {
    host->note(call, i, hone_string("well done"));
    host->part(call, i, hone_string("half"), 0.5);
    host->score(call, i, 2);
    host->span(call, i, 0, 3, -1);
    host->metric(call, hone_string("riches"), (double)item->completion_id_count);
  }
  if (hone_same(said, hone_string("outside"))) host->score(call, i, 1), host->span(call, i, 0, 99, 1);
  if (hone_same(said, hone_string("nan part"))) host->score(call, i, 1), host->part(call, i, hone_string("bad"), NAN);
}

static int32_t score(void* instance, hone_call* call, const hone_item* const* items, uint64_t count) {
  const state* self = (const state*)instance;
  uint64_t i;
  for (i = 0; i < count; ++i) {
    if (hone_same(items[i]->completion, hone_string("stop"))) {
      self->host->fail(call, hone_string("told to stop"));
      return HONE_FAILED;
    }
    judge(self, call, items[i], i);
  }
  return HONE_OK;
}

static const hone_reward reward = {.size = sizeof(hone_reward),
                                   .scope = HONE_SCOPE_GROUP,
                                   .threads = HONE_THREADS_ANY,
                                   .deterministic = 1,
                                   .create = create,
                                   .destroy = destroy,
                                   .score = score};
static const hone_plugin plugin = {
    .size = sizeof(hone_plugin), .abi = HONE_PLUGIN_ABI, .name = "verdicts", .reward = &reward};

const hone_plugin* hone_plugin_entry(const hone_host* host) {
  (void)host;
  return &plugin;
}
