/* hone/plugin.h: rewards and environments for hone as a shared library, in any language that can speak C.
 *
 * A plug-in exports one function, hone_plugin_entry. It gets the host's table of functions and returns a table of its
 * own. docs/plugin_abi.md is the contract in full, with complete examples; hone/plugin.hpp makes this shorter in C++17.
 *
 *   entry  (create  (score | prompts | prompt | (reset | state_load) step* state_save* close)*  destroy)*
 *
 * Versions. Every struct begins with its size in bytes as the side that made it knows it, and grows only at its end; so
 * a plug-in works with older and newer hosts as long as HONE_PLUGIN_ABI is the same. HONE_HAS says whether the other
 * side knows a member that an older header lacks.
 *
 * Memory. Who allocates frees. What the host passes is valid until the function that got it returns; what a plug-in
 * passes to a host function is copied before that function returns. Results are handed to host functions, so there is
 * nothing for the other side to release.
 *
 * Threads. Host functions may be called from any thread, but a hone_call only until the function that got it returns;
 * verdicts on different items may come from different threads at once.
 *
 * No exception may leave a function of a plug-in. Texts are UTF-8.
 */
#ifndef HONE_PLUGIN_H
#define HONE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when a plug-in has to be changed or compiled anew; the growth of a struct does not raise it. */
#define HONE_PLUGIN_ABI 1

#define HONE_PLUGIN_EXPORT __attribute__((visibility("default")))

/* Whether the struct that `pointer` points at, which the other side made, has `member`. */
#define HONE_HAS(pointer, member) \
  ((uint64_t)((const char*)&(pointer)->member - (const char*)(pointer)) + sizeof((pointer)->member) <= (pointer)->size)

/* What functions of a plug-in return. After HONE_FAILED the whole call counts as an error, with the text that
 * hone_host.fail got. */
enum { HONE_OK = 0, HONE_FAILED = 1 };

enum { HONE_LOG_INFO = 0, HONE_LOG_WARN = 1, HONE_LOG_ERROR = 2 };

enum { HONE_SPLIT_TRAIN = 0, HONE_SPLIT_HELD_OUT = 1 };

/* Why a completion ended. */
enum {
  HONE_FINISH_STOP = 0,   /* end-of-sequence or a stop string */
  HONE_FINISH_LENGTH = 1, /* the token budget ran out */
  HONE_FINISH_ENV = 2,    /* the environment ended the episode */
  HONE_FINISH_ABORT = 3   /* generation was abandoned */
};

/* What a reward must see in one call. */
enum {
  HONE_SCOPE_SAMPLE = 0, /* any episodes, in any grouping */
  HONE_SCOPE_GROUP = 1,  /* all episodes of a prompt, adjacent; several groups may come in one call */
  HONE_SCOPE_BATCH = 2   /* everything that one iteration collected */
};

/* Which calls of `score` may run at the same time. create and destroy never run beside a call for the same instance. */
enum {
  HONE_THREADS_SERIAL = 0,       /* one in the whole process */
  HONE_THREADS_PER_INSTANCE = 1, /* one an instance; several instances are made */
  HONE_THREADS_ANY = 2           /* any number, also for one instance */
};

/* Text or bytes: not NULL and with a NUL behind it when it comes from the host, unless it is absent. */
typedef struct hone_text {
  const char* data; /* NULL: absent */
  uint64_t size;    /* in bytes, without the NUL */
} hone_text;

/* A completion of the policy and what the environment answered. */
typedef struct hone_turn {
  uint64_t size;
  hone_text completion;
  const int32_t* completion_ids; /* end-of-sequence included */
  uint64_t completion_id_count;
  hone_text reply; /* empty in the last turn */
  double reward;   /* what the environment gave for this turn, when has_reward is 1 */
  int32_t has_reward;
  int32_t reserved;
} hone_turn;

/* An episode: a prompt and what came of it. */
typedef struct hone_item {
  uint64_t size;
  hone_text prompt;     /* empty when the prompt is a list of messages */
  hone_text messages;   /* JSON: [{"role": ..., "content": ...}, ...], or absent */
  hone_text completion; /* of the last turn */
  const int32_t* completion_ids;
  uint64_t completion_id_count;
  hone_text reference; /* JSON: answer, tests, label, whatever the prompt brings; "null" when it brings nothing */
  hone_text answer;    /* the reference when it is a string or number, else its member "answer"; or absent */
  const hone_turn* const* turns;
  uint64_t turn_count;
  uint64_t seed; /* of this episode: the same after a resume and in any other process; below 2^53 */
  uint64_t prompt_id;
  int64_t group;  /* episodes of the same prompt in one collection share it */
  int64_t sample; /* 0, 1, ... within the group */
  int32_t finish; /* HONE_FINISH_... of the last turn */
  int32_t reserved;
} hone_item;

/* What an instance is made for. */
typedef struct hone_setup {
  uint64_t size;
  hone_text name; /* of the reward or environment in the run's file */
  uint64_t seed;  /* of the run and this name; below 2^53 */
} hone_setup;

/* A call that is under way; host functions want it. */
typedef struct hone_call hone_call;

/* The host's functions. The table lives as long as the process. */
typedef struct hone_host {
  uint64_t size;
  uint32_t abi; /* HONE_PLUGIN_ABI of the host */
  uint32_t reserved;

  void (*log)(hone_call* call, int32_t level, hone_text text);
  /* A figure for the run's metrics: means are taken over an iteration. */
  void (*metric)(hone_call* call, hone_text name, double value);
  /* 1 when the result is no longer wanted: return soon, with anything. */
  int32_t (*cancelled)(hone_call* call);
  /* 64 random bits: a pure function of both, so that no generator has state that a resume could lose. */
  uint64_t (*random)(uint64_t seed, uint64_t counter);
  /* The value of a key of `config:` in the run's file, as text; or absent. */
  hone_text (*config)(hone_call* call, hone_text key);
  /* The member `key` of an object in JSON, or element `key` ("0", "1", ...) of an array: a string as its own text,
   * anything else as JSON. Absent when there is none or `json` is not JSON. Valid until the call ends. */
  hone_text (*json_member)(hone_call* call, hone_text json, hone_text key);
  /* Why the function is about to return HONE_FAILED. */
  void (*fail)(hone_call* call, hone_text why);

  /* Within score: exactly one of these three for every item, in any order. */
  void (*score)(hone_call* call, uint64_t item, double value);
  void (*abstain)(hone_call* call, uint64_t item, hone_text why);
  void (*error)(hone_call* call, uint64_t item, hone_text why);
  /* Any number of these, before or after: words for people; a named part of the value, for the log; a reward in the
   * middle of the episode, that arrives at token `end_token` (exclusive) of turn `turn`. */
  void (*note)(hone_call* call, uint64_t item, hone_text text);
  void (*part)(hone_call* call, uint64_t item, hone_text name, double value);
  void (*span)(hone_call* call, uint64_t item, int64_t turn, int64_t end_token, double value);

  /* Within prompt: the text, or one or more messages; the others are optional. */
  void (*prompt_text)(hone_call* call, hone_text text);
  void (*prompt_message)(hone_call* call, hone_text role, hone_text content);
  void (*prompt_reference)(hone_call* call, hone_text json);
  void (*prompt_demonstration)(hone_call* call, hone_text text); /* what a teacher would answer */

  /* Within step: a reply, which is not empty, goes on with the episode; without one it ends. */
  void (*reply)(hone_call* call, hone_text text);
  void (*turn_reward)(hone_call* call, double value);

  /* Within state_save: appends bytes. */
  void (*state)(hone_call* call, const void* bytes, uint64_t size);
} hone_host;

/* Judges finished episodes. */
typedef struct hone_reward {
  uint64_t size;
  int32_t scope;         /* HONE_SCOPE_... */
  int32_t threads;       /* HONE_THREADS_... */
  int32_t deterministic; /* 1: the same items and seeds give the same scores */
  int32_t reserved;
  /* May be NULL: then instances are NULL. */
  int32_t (*create)(const hone_host* host, hone_call* call, const hone_setup* setup, void** instance);
  void (*destroy)(void* instance); /* may be NULL */
  int32_t (*score)(void* instance, hone_call* call, const hone_item* const* items, uint64_t count);
} hone_reward;

/* Where prompts come from and what answers the policy. One call at a time for each instance. */
typedef struct hone_environment {
  uint64_t size;
  int32_t deterministic;
  int32_t reserved;
  int32_t (*create)(const hone_host* host, hone_call* call, const hone_setup* setup, void** instance);
  void (*destroy)(void* instance);
  /* How many prompts the split has; constant. */
  uint64_t (*prompts)(void* instance, hone_call* call, int32_t split);
  /* Prompt number `index` of the split: a pure function of the arguments and the configuration. */
  int32_t (*prompt)(void* instance, hone_call* call, int32_t split, uint64_t index, uint64_t seed);

  /* From here on all may be NULL, or missing in an older plug-in. Without step an episode is one completion. */

  /* Begins an episode; the item has no turns yet. Without reset the state is NULL: step looks at the turns. */
  int32_t (*reset)(void* instance, hone_call* call, const hone_item* episode, void** state);
  /* Answers the last completion. A state that was lost is made again by reset and the same steps. */
  int32_t (*step)(void* instance, hone_call* call, void* state, const hone_item* episode);
  void (*close)(void* instance, void* state);
  /* The state as bytes, and a state from bytes: it must go on exactly as the first would have. Both or none. */
  int32_t (*state_save)(void* instance, hone_call* call, const void* state);
  int32_t (*state_load)(void* instance, hone_call* call, const hone_item* episode, const void* bytes, uint64_t size,
                        void** state);
} hone_environment;

typedef struct hone_plugin {
  uint64_t size;
  uint32_t abi; /* HONE_PLUGIN_ABI */
  uint32_t reserved;
  const char* name;
  const hone_reward* reward;           /* or NULL */
  const hone_environment* environment; /* or NULL */
} hone_plugin;

/* The one symbol of a plug-in. Called once; the table it returns must live as long as the process. NULL: refuses. */
HONE_PLUGIN_EXPORT const hone_plugin* hone_plugin_entry(const hone_host* host);

static inline hone_text hone_string(const char* text) {
  hone_text made;
  made.data = text;
  made.size = text == NULL ? 0 : strlen(text);
  return made;
}

static inline int32_t hone_same(hone_text a, hone_text b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, (size_t)a.size) == 0);
}

/* Uniform in [0, 1), from hone_host.random. */
static inline double hone_uniform(uint64_t bits) { return (double)(bits >> 11) * (1.0 / 9007199254740992.0); }

#ifdef __cplusplus
}
#endif

#endif
