#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "app/commands.h"
#include "base/error.h"
#include "base/format.h"

namespace hone {

namespace {

constexpr const char* examples =
    "Trains language models by reinforcement learning. One YAML file describes an experiment.\n\n"
    "  hone run configs/quickstart/arithmetic.yaml            pretrain, fine-tune, improve by PPO\n"
    "  hone run FILE stages.ppo.iterations=20 run.seed=2      the same with other values\n"
    "  hone check FILE                                        what it would do, in numbers\n"
    "  hone generate --model runs/arithmetic/checkpoints/ppo/final --prompt '37+58='\n"
    "  hone config help stages.ppo                            every key of a stage\n"
    "  hone plugin new my_reward                              a reward of your own, in Python\n"
    "  hone doctor                                            what this machine can do\n";

void add_file(CLI::App* app, FileCommand& command) {
  app->add_option("file", command.file, "YAML file of the run")->required();
  app->add_option("overrides", command.overrides, "key.path=value, stages by name: stages.ppo.epochs=2");
}

void add_run_commands(CLI::App& app) {
  static FileCommand command;
  static bool fresh = false;
  CLI::App* run = app.add_subcommand("run", "Run every stage of a file");
  add_file(run, command);
  run->add_flag("--fresh", fresh, "Move an existing run directory aside");
  run->callback([] { command_run(command, fresh); });
  CLI::App* check = app.add_subcommand("check", "Validate a file and print its arithmetic without running it");
  add_file(check, command);
  check->callback([] { command_check(command); });
  static std::string directory;
  CLI::App* report = app.add_subcommand("report", "Write report.html for a run's directory");
  report->add_option("directory", directory, "Run directory, like runs/arithmetic")->required();
  report->callback([] { command_report(directory); });
}

void add_eval_command(CLI::App& app) {
  static FileCommand file;
  static EvaluateCommand command;
  CLI::App* eval = app.add_subcommand("eval", "Metrics of a model on a data file, or a run file's eval stages");
  eval->add_option("target", file.file, "Model or run directory (with --data), or YAML file of a run")->required();
  eval->add_option("overrides", file.overrides, "key.path=value; with --data the keys of a data entry: columns.text=sentence");
  eval->add_option("--model", command.model, "With a run file: model directory to evaluate instead of the file's own");
  CLI::Option* data = eval->add_option("--data", command.data, "Data file; its held-out rows count, or all when none are held out");
  eval->add_option("--against", command.against, "A second model or run on the same rows")->needs(data);
  eval->add_option("--rows", command.rows, "Rows, from the first")->needs(data)->check(CLI::PositiveNumber);
  eval->add_flag("--generate", command.generate, "Judge generated answers: BLEU, chrF, ROUGE, exact match, F1, the reward's metrics")->needs(data);
  eval->add_option("--samples", command.samples, "Answers to each row; 1: greedy")->needs(data)->check(CLI::PositiveNumber);
  eval->add_option("--temperature", command.temperature, "Of several samples")->needs(data)->check(CLI::PositiveNumber);
  eval->add_option("--max-tokens", command.max_tokens, "Longest answer")->needs(data)->check(CLI::PositiveNumber);
  eval->add_option("--reward", command.reward, "Kind of reward that judges answers: pass@k, maj@k, win rate")->needs(data);
  eval->add_option("--reward-config", command.reward_config, "key=value of the reward; may be given again")->needs(data);
  eval->add_option("--k", command.k, "k of pass@k, like 1,4,16")->delimiter(',')->needs(data);
  eval->add_option("--resamples", command.resamples, "Bootstrap samples of the intervals; 0: none")->needs(data)->check(CLI::NonNegativeNumber);
  eval->add_option("--seed", command.seed, "Of samples and intervals")->needs(data);
  eval->add_option("--output", command.output, "JSON lines: what the model said of each row")->needs(data);
  eval->add_flag("--json", command.json, "One JSON object")->needs(data);
  eval->callback([] {
    if (command.data.empty()) {
      command_eval(file, command.model.empty() ? std::nullopt : std::optional(command.model));
      return;
    }
    command.model = file.file;
    command.overrides = file.overrides;
    command_evaluate(command);
  });
}

void add_data_commands(CLI::App& app) {
  static AuditCommand command;
  CLI::App* group = app.add_subcommand("data", "Look at data sets");
  group->require_subcommand(1);
  CLI::App* audit = group->add_subcommand("audit", "Labels, lengths, duplicates, leakage, broken texts, what will be cut");
  audit->add_option("file", command.file.file, "YAML file of a run, or a data file")->required();
  audit->add_option("overrides", command.file.overrides, "key.path=value; of a data file the keys of a data entry: held_out=0.1");
  audit->add_option("--data", command.data, "One entry of the run file's data");
  audit->add_option("--tokenizer", command.tokenizer, "tokenizer.json or a model directory: lengths in tokens");
  audit->add_option("--context", command.context, "Tokens that fit; by default what the model directory says")
      ->check(CLI::PositiveNumber);
  audit->add_option("--near", command.near, "Jaccard similarity from which texts are nearly the same")->check(CLI::Range(0.05, 1.0));
  audit->add_option("--shingle", command.shingle, "Words of a shingle")->check(CLI::Range(1, 32));
  audit->add_flag("--json", command.json, "A JSON object a data set");
  audit->callback([] { command_data_audit(command); });
}

void add_comparison_commands(CLI::App& app) {
  static std::string first, second, file;
  static bool json = false;
  CLI::App* runs = app.add_subcommand("runs", "Look at finished runs together");
  runs->require_subcommand(1);
  CLI::App* compare = runs->add_subcommand("compare", "Metrics of two runs side by side");
  compare->add_option("first", first, "Run directory, like runs/arithmetic")->required();
  compare->add_option("second", second, "The other one")->required();
  compare->add_flag("--json", json, "One JSON object");
  compare->callback([] { command_runs_compare(first, second, json); });
  CLI::App* sweep = app.add_subcommand("sweep", "Try a run with many values of its keys");
  sweep->add_option("file", file, "YAML file of the sweep")->required();
  sweep->callback([] { command_sweep(file); });
}

void add_config_commands(CLI::App& app) {
  static FileCommand command;
  static std::string path;
  CLI::App* config = app.add_subcommand("config", "Show, explain and export the configuration");
  config->require_subcommand(1);
  CLI::App* show = config->add_subcommand("show", "A file with every default filled in");
  add_file(show, command);
  show->callback([] { command_config_show(command); });
  config->add_subcommand("schema", "JSON Schema for editors")->callback([] { command_config_schema(); });
  config->add_subcommand("docs", "The reference as Markdown")->callback([] { command_config_docs(); });
  CLI::App* help = config->add_subcommand("help", "Keys of a section or kind: run, model, stages.ppo");
  help->add_option("path", path, "dotted path; empty: the root");
  help->callback([] { command_config_help(path); });
}

void add_checkpoint_commands(CLI::App& app) {
  static std::string directory;
  CLI::App* group = app.add_subcommand("checkpoint", "List and verify what a run has saved");
  group->require_subcommand(1);
  CLI::App* list = group->add_subcommand("list", "Checkpoints with stage, step and size");
  list->add_option("directory", directory, "A run directory or a checkpoint")->required();
  list->callback([] { command_checkpoint_list(directory); });
  CLI::App* verify = group->add_subcommand("verify", "Compare every file with its checksum");
  verify->add_option("directory", directory, "A run directory or a checkpoint")->required();
  verify->callback([] { command_checkpoint_verify(directory); });
}

void add_tokenizer_commands(CLI::App& app) {
  static TokenizerTraining training;
  static std::string text;
  CLI::App* group = app.add_subcommand("tokenizer", "Train a tokenizer or look at its ids");
  group->require_subcommand(1);
  CLI::App* train = group->add_subcommand("train", "A vocabulary from text files");
  train->add_option("files", training.files, "Text files")->required();
  train->add_option("--output,-o", training.output, "Directory for tokenizer.json")->required();
  train->add_option("--vocabulary", training.vocabulary, "Number of ids")->check(CLI::Range(32, 1 << 24));
  train->add_option("--type", training.type, "bpe, wordpiece or unigram")->check(CLI::IsMember({"bpe", "wordpiece", "unigram"}));
  train->callback([] { command_tokenizer_train(training); });
  static TokenLines lines;
  CLI::App* encode = group->add_subcommand("encode", "JSON lines of strings to JSON lines of ids, or the ids of one text");
  encode->add_option("--model,tokenizer", lines.tokenizer, "tokenizer.json or its directory")->required();
  CLI::Option* given = encode->add_option("--text", text, "One text instead of stdin; its ids as words");
  encode->add_flag("--special", lines.special, "Add the special tokens that the tokenizer puts around a text");
  encode->add_flag("--parse", lines.parse, "Spellings of special tokens are special tokens");
  encode->add_flag("--offsets", lines.offsets, "Objects with ids, type_ids and offsets");
  encode->callback([given] { given->count() > 0 ? command_tokenizer_text(lines.tokenizer, text) : command_tokenizer_encode(lines); });
  CLI::App* decode = group->add_subcommand("decode", "JSON lines of ids to JSON lines of strings");
  decode->add_option("--model,tokenizer", lines.tokenizer, "tokenizer.json or its directory")->required();
  decode->add_flag("--special", lines.special, "Keep special tokens");
  decode->callback([] { command_tokenizer_decode(lines); });
}

void add_generation_options(CLI::App* app, GenerateCommand& command) {
  SamplingConfig& sampling = command.sampling;
  app->add_option("--model,-m", command.model, "Model directory")->required();
  app->add_option("--temperature", sampling.temperature, "0 takes the most likely token")->check(CLI::NonNegativeNumber);
  app->add_option("--top-k", sampling.top_k, "Keep the k most likely tokens; 0: all")->check(CLI::NonNegativeNumber);
  app->add_option("--top-p", sampling.top_p, "Keep tokens until their probability reaches it")->check(CLI::Range(1e-6, 1.0));
  app->add_option("--min-p", sampling.min_p, "Keep tokens of this share of the largest probability")->check(CLI::Range(0.0, 1.0));
  app->add_option("--max-tokens", sampling.max_tokens, "Longest completion")->check(CLI::PositiveNumber);
  app->add_option("--repetition-penalty", sampling.repetition_penalty, "Above 1: tokens that were there become less likely");
  app->add_option("--presence-penalty", sampling.presence_penalty, "Taken off the logits of tokens that the completion has");
  app->add_option("--frequency-penalty", sampling.frequency_penalty, "The same for each time it has them");
  app->add_option("--no-repeat-ngram", sampling.no_repeat_ngram, "No run of so many tokens twice")->check(CLI::NonNegativeNumber);
  app->add_option("--min-tokens", sampling.min_tokens, "Shortest completion")->check(CLI::NonNegativeNumber);
  app->add_option("--logit-bias", command.biases, "ID=VALUE; may be given again");
  app->add_option("--regex", command.regex, "A pattern that the completion must match");
  app->add_option("--choice", command.choices, "A text that the completion may be; given again: one of them");
  app->add_option("--stop", sampling.stop, "Text that ends a completion; may be given again");
  app->add_option("--compute", command.compute, "Products of auto, float32, bfloat16 or int8 operands")
      ->check(CLI::IsMember({"auto", "float32", "bfloat16", "int8"}));
  app->add_option("--seed", command.seed, "Seed of the samples");
}

void add_text_commands(CLI::App& app) {
  static GenerateCommand command;
  CLI::App* generate = app.add_subcommand("generate", "Continue prompts with a model");
  add_generation_options(generate, command);
  generate->add_option("--prompt,-p", command.prompts, "A prompt; may be given again. Without it: a prompt a line of stdin");
  generate->add_option("--samples,-n", command.samples, "Completions a prompt")->check(CLI::PositiveNumber);
  generate->add_flag("--json", command.json, "A JSON object a line");
  generate->add_flag("--logprobs", command.logprobs, "With --json: log-probabilities of the tokens");
  generate->add_option("--beams", command.beams, "Beam search with so many beams instead of samples")->check(CLI::PositiveNumber);
  generate->add_option("--length-penalty", command.length_penalty, "Beams: scores are divided by length to this power");
  generate->callback([] { command_generate(command); });
  CLI::App* chat = app.add_subcommand("chat", "Talk to a model; /new begins a new conversation");
  add_generation_options(chat, command);
  chat->add_option("--system", command.system, "System message of the conversation");
  chat->callback([] { command_chat(command); });
}

void add_model_commands(CLI::App& app) {
  static ForwardCommand forward;
  static ExportCommand out;
  static std::string directory;
  static bool json = false;
  CLI::App* pass = app.add_subcommand("forward", "Logits or hidden states for rows of token ids");
  pass->add_option("model", forward.model, "Model directory")->required();
  pass->add_option("--input", forward.input, "JSON lines: {\"ids\": [1, 2], \"type_ids\": …, \"decoder_ids\": …}")->required();
  pass->add_option("--output", forward.output, "safetensors file: one tensor a line, \"0\", \"1\", …")->required();
  static std::string what = "logits";
  pass->add_option("--what", what, "logits or hidden")->check(CLI::IsMember({"logits", "hidden"}));
  pass->add_flag("--bfloat16", forward.bfloat16, "Products of bfloat16 operands");
  pass->callback([] {
    forward.hidden = what == "hidden";
    command_forward(forward);
  });
  static PredictCommand predict;
  CLI::App* task = app.add_subcommand("predict", "Run a task on each line of stdin");
  task->add_option("task", predict.task, "text-classification, token-classification, question-answering, fill-mask, "
                                         "summarization, translation, feature-extraction or sentence-similarity")->required();
  task->add_option("--model,-m", predict.model, "Model directory")->required();
  task->add_option("--top-k", predict.options.top_k, "Results a line")->check(CLI::PositiveNumber);
  task->add_option("--aggregation", predict.options.aggregation, "Tokens to entities: none, simple, first, average, max");
  task->add_option("--pooling", predict.options.pooling, "Tokens to one vector: mean, cls, max, lasttoken …");
  task->add_option("--max-answer-length", predict.options.max_answer_length, "Tokens of an answer")->check(CLI::PositiveNumber);
  task->add_option("--stride", predict.options.stride, "Tokens that windows of a long context share")->check(CLI::NonNegativeNumber);
  task->add_option("--source", predict.options.from, "translation: language of the texts, as config.json or the prefix names it");
  task->add_option("--target", predict.options.to, "translation: language to write");
  task->add_option("--prefix", predict.options.prefix, "summarization, translation: put before each text, instead of config.json's");
  task->add_option("--beams", predict.options.beams, "summarization, translation: beams, 1: greedy; default: the model's")->check(CLI::PositiveNumber);
  task->add_option("--max-tokens", predict.options.max_tokens, "summarization, translation: longest text; default: the model's")
      ->check(CLI::PositiveNumber);
  task->add_flag("--json", predict.json, "A JSON value a line");
  task->callback([] { command_predict(predict); });
  CLI::App* inspect = app.add_subcommand("inspect", "What a model directory holds, and what would be refused");
  inspect->add_option("directory", directory, "Model directory")->required();
  inspect->add_flag("--json", json, "One JSON object");
  inspect->callback([] { command_inspect(directory, json); });
  CLI::App* exporting = app.add_subcommand("export", "Write a model whole, an adapter merged into its base");
  exporting->add_option("model", out.model, "Model or adapter directory")->required();
  exporting->add_option("output", out.output, "Directory to write")->required();
  exporting->add_option("--gguf", out.gguf, "Write one GGUF file of this type for llama.cpp")->check(CLI::IsMember({"f32", "f16", "bf16", "q8_0"}));
  exporting->add_option("--dtype", out.dtype, "Of the weights: float32, float16 or bfloat16")
      ->check(CLI::IsMember({"float32", "float16", "bfloat16"}));
  exporting->add_option("--max-shard-size", out.max_shard_size, "Largest file of weights, like 2GB; default: 50GB, as transformers has it");
  exporting->callback([] { command_export(out); });
}

void add_trial_options(CLI::App* app, PluginCommand& command) {
  app->add_option("target", command.target, "NAME.so, a program with its arguments (behind --), the address of a service, or a built-in kind")->required();
  app->add_flag("--text", command.text, "The program speaks the text dialect");
  app->add_option("--fields", command.fields, "What it reads of each episode then")->delimiter(',');
  app->add_option("--config", command.config, "key=value for the plug-in; may be given again");
  app->add_flag("--in-process", command.in_process, "Load the library into hone itself");
  app->add_option("--timeout", command.timeout, "Seconds a call may take")->check(CLI::PositiveNumber);
}

void add_plugin_commands(CLI::App& app) {
  static NewPlugin plugin;
  static PluginCommand command;
  CLI::App* group = app.add_subcommand("plugin", "Write, try and time rewards and environments of your own");
  group->require_subcommand(1);
  CLI::App* create = group->add_subcommand("new", "Write a plug-in to start from");
  create->add_option("name", plugin.name, "Its name")->required();
  create->add_option("--lang", plugin.language, "python, c, cpp or bash")->check(CLI::IsMember({"python", "c", "cpp", "bash"}));
  create->add_option("--kind", plugin.kind, "reward or env")->check(CLI::IsMember({"reward", "env"}));
  create->add_option("--directory", plugin.directory, "Where it is written");
  create->callback([] { command_plugin_new(plugin); });
  CLI::App* test = group->add_subcommand("test", "Try ordinary and hostile batches on a plug-in");
  add_trial_options(test, command);
  test->add_option("--kind", command.kind, "reward or env")->check(CLI::IsMember({"reward", "env"}));
  test->add_flag("--random", command.random, "Its scores are random: do not compare them");
  test->callback([] { command_plugin_test(command); });
  CLI::App* bench = group->add_subcommand("bench", "Scores a second of a reward, and how long calls take");
  add_trial_options(bench, command);
  bench->callback([] { command_plugin_bench(command); });
  group->add_subcommand("list", "What is built in, and the libraries on the search path")->callback([] { command_plugin_list(); });
}

void add_reward_commands(CLI::App& app) {
  static ServeReward serve;
  CLI::App* group = app.add_subcommand("reward", "Offer rewards to other runs");
  group->require_subcommand(1);
  CLI::App* app_serve = group->add_subcommand("serve", "Offer a reward of a file over HTTP");
  add_file(app_serve, serve.file);
  app_serve->add_option("--reward", serve.reward, "Its name in the file; needed when there are several");
  app_serve->add_option("--address", serve.address, "Numeric address to listen at; 0.0.0.0: every interface");
  app_serve->add_option("--port", serve.port, "0: any free one")->check(CLI::Range(0, 65535));
  app_serve->add_option("--token-env", serve.token_env, "Variable with the bearer token that requests must bring");
  app_serve->callback([] { command_reward_serve(serve); });
}

void add_bench_command(CLI::App& app) {
  static BenchCommand command;
  CLI::App* bench = app.add_subcommand("bench", "Speed of a model here, beside what this machine allows");
  bench->add_option("model", command.model, "Model directory of a decoder")->required();
  bench->add_option("--batch", command.batch, "Sequences generated together")->check(CLI::PositiveNumber);
  bench->add_option("--prompt", command.prompt, "Tokens of each prompt")->check(CLI::PositiveNumber);
  bench->add_option("--new", command.new_tokens, "Tokens generated for each")->check(CLI::Range(2, 1 << 20));
  bench->add_option("--rows", command.rows, "Sequences of a training step")->check(CLI::PositiveNumber);
  bench->add_option("--length", command.length, "Tokens of each")->check(CLI::Range(2, 1 << 20));
  bench->add_option("--repeat", command.repetitions, "Measurements of each row")->check(CLI::PositiveNumber);
  bench->add_option("--compute", command.compute, "Products of auto, float32, bfloat16 or int8 operands")
      ->check(CLI::IsMember({"auto", "float32", "bfloat16", "int8"}));
  bench->add_option("--vocabulary", command.vocabulary, "Ids that are sampled from; default: as many as the model has")
      ->check(CLI::PositiveNumber);
  bench->add_option("--lengths", command.lengths, "Tokens of the completions that share 8 prompts; default: 128 log-normal ones")
      ->delimiter(',')->check(CLI::PositiveNumber);
  bench->add_option("--only", command.only, "Some of generation,shared_prompts,sampling,scoring,training")
      ->delimiter(',')->check(CLI::IsMember({"generation", "shared_prompts", "sampling", "scoring", "training"}));
  bench->add_flag("--json", command.json, "A JSON object a row");
  bench->callback([] { command_bench(command); });
}

/// "unknown command 'rnu'; did you mean 'run'?", or "" when the first word is a command (or a flag).
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return "";
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(sub->get_name());
  for (const std::string& name : names) {
    if (name == argv[1]) return "";
  }
  return fmt::format("unknown command '{}'{}", argv[1], suggestion(argv[1], names));
}

int parse_and_run(int argc, char** argv) {
  CLI::App app(examples, "hone");
  app.set_version_flag("--version", "hone " HONE_VERSION);
  app.require_subcommand(1);
  add_run_commands(app);
  add_eval_command(app);
  add_data_commands(app);
  add_comparison_commands(app);
  add_config_commands(app);
  add_checkpoint_commands(app);
  add_tokenizer_commands(app);
  add_text_commands(app);
  add_model_commands(app);
  add_plugin_commands(app);
  add_reward_commands(app);
  add_bench_command(app);
  app.add_subcommand("doctor", "What this machine can do, and what is missing")->callback([] { command_doctor(); });
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    const std::string unknown = unknown_command(app, argc, argv);
    std::fprintf(stderr, "hone: %s\nrun hone --help for the commands\n", unknown.empty() ? error.what() : unknown.c_str());
    return static_cast<int>(ErrorKind::usage);
  }
  return 0;
}

}  // namespace

}  // namespace hone

int main(int argc, char** argv) {
  try {
    return hone::parse_and_run(argc, argv);
  } catch (const hone::Error& error) {
    std::fprintf(stderr, "hone: %s\n", error.what());
    return error.exit_code();
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "hone: out of memory: lower tokens_per_pass, engine.slots or the model's size\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hone: internal error: %s\n", error.what());
  }
  return static_cast<int>(hone::ErrorKind::internal);
}
