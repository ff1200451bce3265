#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/predict_options.h"
#include "engine/sampling.h"

/// What each subcommand does once its words are parsed. Results go to stdout, messages to stderr; what goes wrong is an
/// Error.
namespace hone {

struct FileCommand {
  std::string file;
  std::vector<std::string> overrides;  ///< key.path=value
};

void command_run(const FileCommand& command, bool fresh);
/// Validates without running and prints the batch arithmetic and a memory estimate.
void command_check(const FileCommand& command);
/// Runs the file's eval stages on a model directory (or on the file's own model) and prints what they measured.
void command_eval(const FileCommand& command, const std::optional<std::string>& model);

struct EvaluateCommand {
  std::string model;                   ///< model or run directory
  std::string data;                    ///< data file
  std::vector<std::string> overrides;  ///< key.path=value of a data entry
  std::string against;                 ///< a second model or run on the same rows
  std::int64_t rows = 1000;
  bool generate = false;
  std::int64_t samples = 1;
  double temperature = 1.0;
  std::int64_t max_tokens = 256;
  std::string reward;                      ///< kind that judges what is generated
  std::vector<std::string> reward_config;  ///< key=value
  std::vector<std::int64_t> k;             ///< of pass@k; empty: 1
  std::int64_t resamples = 1000;
  std::int64_t seed = 1;
  std::string output;  ///< file for what the model said of each row
  bool json = false;
};
/// Metrics of a model on the held-out rows of a data file (all its rows when it holds none out), with bootstrap
/// intervals, and with `against` the paired difference of two models.
void command_evaluate(const EvaluateCommand& command);

struct AuditCommand {
  FileCommand file;       ///< a run file, or a data file with keys of a data entry as overrides
  std::string data;       ///< of a run file: one entry; "" for all
  std::string tokenizer;  ///< "" for the run file's own, if any
  std::int64_t context = 0;
  double near = 0.8;
  std::int64_t shingle = 3;
  bool json = false;
};
/// What data sets are like: labels, lengths, duplicates, leakage, broken texts, what will be cut.
void command_data_audit(const AuditCommand& command);

/// Writes report.html into a run directory, finished or not, and prints its path.
void command_report(const std::string& directory);

/// The metrics of two runs side by side; where both recorded scores of the same prompts, whether they differ.
void command_runs_compare(const std::string& first, const std::string& second, bool json);

/// Runs the trials that a file describes, or those that are left, and prints the table of their results.
void command_sweep(const std::string& file);

void command_config_show(const FileCommand& command);
void command_config_schema();
void command_config_docs();
/// The fields of a kind or of a dotted path ("ppo", "run", "arithmetic"); everything when empty.
void command_config_help(const std::string& path);

/// The checkpoints of a run directory (or the one given) with stage, step and size.
void command_checkpoint_list(const std::string& directory);
/// Compares every file with its manifest; Error{data} when one differs.
void command_checkpoint_verify(const std::string& directory);

struct NewPlugin {
  std::string name;
  std::string language = "python";  ///< python | c | cpp | bash
  std::string kind = "reward";      ///< reward | env
  std::string directory = ".";
};
/// Writes a working plug-in to start from, and what it includes. Nothing is overwritten: Error{io}.
void command_plugin_new(const NewPlugin& plugin);

/// A plug-in that is tried outside a run: a .so, or a program with its arguments.
struct PluginCommand {
  std::vector<std::string> target;
  std::string kind = "reward";  ///< reward | env
  bool text = false;            ///< the dialect for shells
  std::vector<std::string> fields;
  std::vector<std::string> config;  ///< key=value
  bool in_process = false;
  bool random = false;
  double timeout = 30;
};
/// Runs ordinary and hostile batches; Error{data} when one fails.
void command_plugin_test(const PluginCommand& command);
void command_plugin_bench(const PluginCommand& command);
/// What is built in, and the libraries on the search path.
void command_plugin_list();

struct ServeReward {
  FileCommand file;
  std::string reward;  ///< "" when the file has one
  std::string address = "127.0.0.1";
  std::int64_t port = 8700;
  std::string token_env;
};
/// Offers a reward of a file over HTTP until a signal comes.
void command_reward_serve(const ServeReward& command);

void command_doctor();

struct TokenizerTraining {
  std::vector<std::string> files;
  std::string output;
  std::int64_t vocabulary = 8192;
  std::string type = "bpe";  ///< bpe | wordpiece | unigram
};
void command_tokenizer_train(const TokenizerTraining& command);
/// Ids of `text`.
void command_tokenizer_text(const std::string& tokenizer, const std::string& text);
struct TokenLines {
  std::string tokenizer;
  bool special = false;  ///< encode: add what the post-processor says; decode: keep special tokens
  bool parse = false;    ///< encode: spellings of special tokens are special tokens
  bool offsets = false;
};
/// JSON lines of strings (or pairs) on stdin to JSON lines of ids on stdout, and back.
void command_tokenizer_encode(const TokenLines& lines);
void command_tokenizer_decode(const TokenLines& lines);

struct ForwardCommand {
  std::string model;
  std::string input;   ///< JSONL: {"ids": [...], "type_ids": [...]?, "decoder_ids": [...]?}
  std::string output;  ///< safetensors, one tensor a row: "0", "1", …
  bool hidden = false; ///< hidden states instead of logits
  bool bfloat16 = false;
};
/// Logits [T, V] (a task's head: [T, outputs] or [outputs]) or hidden states [T, D] of rows of token ids.
void command_forward(const ForwardCommand& command);

/// What a model directory holds, and what of it would be refused.
void command_inspect(const std::string& directory, bool json);

struct PredictCommand {
  std::string task;
  std::string model;
  PredictOptions options;
  bool json = false;
};
/// Runs a task on each line of stdin: a text, or a JSON object.
void command_predict(const PredictCommand& command);

struct ExportCommand {
  std::string model;
  std::string output;
  std::string gguf;  ///< f32, f16, bf16 or q8_0: `output` is one GGUF file of that type; empty: a directory
  std::string dtype = "float32";         ///< of the directory's weights: float32, float16 or bfloat16
  std::string max_shard_size = "50GB";   ///< a number of bytes with or without a unit
};
/// Writes a model as one whole directory, an adapter merged into its base, or as a GGUF file. The tokenizer's files,
/// generation values and, unless an adapter was merged, README.md are those of the model.
void command_export(const ExportCommand& command);

struct BenchCommand {
  std::string model;
  std::string compute = "auto";  ///< as of GenerateCommand
  std::int64_t batch = 32, prompt = 32, new_tokens = 128;
  std::int64_t rows = 8, length = 256;
  std::int64_t vocabulary = 0;        ///< of the sampled logits; 0: the model's
  std::vector<std::int64_t> lengths;  ///< of completions that share prompts; empty: log-normal ones
  std::int64_t repetitions = 5;
  std::vector<std::string> only;  ///< generation, shared_prompts, sampling, scoring, training; empty: all of them
  bool json = false;
  bool measures(std::string_view what) const { return only.empty() || std::ranges::find(only, what) != only.end(); }
};
/// Speed of generation, scoring and training of a decoder, beside what this machine allows.
void command_bench(const BenchCommand& command);

struct GenerateCommand {
  std::string model;
  std::vector<std::string> prompts;  ///< empty: one a line from stdin
  SamplingConfig sampling;
  std::int64_t samples = 1;
  std::int64_t seed = 1;
  bool json = false;
  std::string system;  ///< chat: the system message
  bool logprobs = false;             ///< of each token, in --json
  std::string regex;                 ///< what completions must match
  std::vector<std::string> choices;  ///< what completions must be one of
  std::vector<std::string> biases;   ///< ID=VALUE
  std::int64_t beams = 1;
  double length_penalty = 1.0;
  std::string compute = "auto";  ///< auto, float32, bfloat16 or int8
};
void command_generate(const GenerateCommand& command);
/// Reads a line, answers it, and so on until the end of input. A model with a chat template sees the whole conversation,
/// which "/new" begins anew; any other continues each line.
void command_chat(const GenerateCommand& command);

}  // namespace hone
