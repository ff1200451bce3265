#include <algorithm>

#include "app/catalog.h"
#include "app/evaluate_tasks.h"
#include "app/experiment.h"
#include "app/generator.h"
#include "base/error.h"
#include "base/format.h"
#include "config/overrides.h"
#include "config/reader.h"
#include "data/examples.h"
#include "data/prompts.h"
#include "flow/reward.h"
#include "metrics/answers.h"
#include "metrics/attempts.h"
#include "stages/example_objective.h"
#include "stages/model_kind.h"
#include "stages/sequence_logprobs.h"
#include "text/chat_format.h"
#include "text/tokenizer_json.h"

namespace hone {

namespace {

constexpr std::int64_t tokens_per_pass = 8192;

/// What rewards ask for when no run is there: models by directory (of a run that is evaluated, by stage too; `initial` is
/// the model itself), its tokenizer and the sandbox.
struct Judging {
  Judging(const std::string& directory, const EvaluateCommand& command) {
    run.seed = static_cast<std::uint64_t>(command.seed);
    run.directory = command.model;
    run.catalogs = &built_in();
    run.compute = compute_of(ComputeChoice::automatic);
    run.tokenizer = load_tokenizer(directory);
    run.executor = lazy_sandbox({});
    services = run.services();
    services.likelihood = [directory, of_run = services.likelihood](const std::string& model) {
      return of_run(model == "initial" ? directory : model);
    };
  }
  Judging(const Judging&) = delete;  // the services refer to the run

  Run run;
  Services services;
};

/// The kind of the catalog with the keys that the command line sets.
std::unique_ptr<Reward> reward_of(const EvaluateCommand& command, const Services& services) {
  const Catalog& catalog = built_in().of<RewardSpec>();
  const Catalog::Row* row = catalog.find(command.reward);
  if (row == nullptr) {
    std::vector<std::string> known;
    for (const Catalog::Row& other : catalog.rows) known.push_back(other.kind);
    fail(ErrorKind::usage, "there is no reward '{}'{}", command.reward, suggestion(command.reward, known));
  }
  const std::unique_ptr<Component> made = row->make();
  auto& spec = static_cast<RewardSpec&>(*made);
  spec.kind = spec.name = command.reward;
  Problems problems;
  Node root = Node::map();
  apply_overrides(root, command.reward_config, problems);
  read_fields(root, built_in(), [&](Fields& f) { spec.describe(f); }, problems);
  problems.throw_if_any();
  return spec.make(services);
}

/// What rewards look for under `answer`, where the row has no reference of its own.
Json reference_of(const Prompt& prompt) {
  if (prompt.reference.is_object()) return prompt.reference;
  return Json::Object{{"answer", prompt.reference}};
}

/// What stands for the answer in a vote: the last number, where there is one, else the plain words.
std::string vote_of(const std::string& text) {
  std::string number, last;
  for (const char c : text + " ") {
    const bool part = (c >= '0' && c <= '9') || (c == '.' && !number.empty()) || (c == '-' && number.empty());
    if (part) {
      number += c;
    } else if (c != ',') {
      while (!number.empty() && (number.back() == '.' || number.back() == '-')) number.pop_back();
      if (!number.empty()) last = number;
      number.clear();
    }
  }
  return last.empty() ? normalized_answer(text) : last;
}

void judge(std::vector<Episode>& episodes, std::size_t samples, Reward& reward, EvaluatedRows& out) {
  const std::vector<Score> scores = reward.score(episodes);
  for (std::size_t begin = 0; begin < episodes.size(); begin += samples) {
    double right = 0, sum = 0;
    std::vector<std::string> votes;
    for (std::size_t i = begin; i < begin + samples; ++i) {
      if (scores[i].status != ScoreStatus::ok) {
        fail(ErrorKind::service, "the reward has no score for answer {} to row {}: {}", i - begin + 1, begin / samples + 1,
             scores[i].note);
      }
      right += scores[i].value >= 1 ? 1 : 0;
      sum += scores[i].value;
      votes.push_back(vote_of(episodes[i].completion_text()));
    }
    out.right.push_back(right);
    out.reward.push_back(sum / static_cast<double>(samples));
    out.attempts.push_back(static_cast<std::int64_t>(samples));
    out.majority.push_back(scores[begin + majority(votes)].value >= 1 ? 1 : 0);
  }
}

}  // namespace

void evaluate_likelihood(const TaskModel& model, const Dataset& data, Split split, std::size_t count,
                         EvaluatedRows& out) {
  out.task = "likelihood";
  const bool answers = data.shape() == DataShape::prompt_completion || data.shape() == DataShape::messages;
  const ModelInput input = input_of(*model.model);
  EncodedRows encoded =
      answers ? encode_completions(data, split, *model.tokenizer, input)
              : encode_texts(data, split, *model.tokenizer, input.context, {.learned = Learned::everything});
  std::erase_if(encoded.examples, [&](const TokenExample& e) { return e.row >= static_cast<std::int64_t>(count); });
  const at::Tensor logprob_S = sequence_logprobs(*model.model, encoded.examples, tokens_per_pass);
  for (std::size_t i = 0; i < encoded.examples.size(); ++i) {
    out.likelihoods.push_back({.negative_log = -logprob_S[static_cast<std::int64_t>(i)].item<double>(),
                               .tokens = encoded.examples[i].target_tokens()});
  }
}

void evaluate_generation(const std::string& directory, const std::shared_ptr<const Dataset>& data, Split split,
                         std::size_t count, const EvaluateCommand& command, EvaluatedRows& out) {
  out.task = "generation";
  const Generator loaded(directory, "auto");
  const auto source = make_prompt_source(data);
  const auto samples = static_cast<std::size_t>(command.samples);
  std::vector<Request> requests;
  std::vector<Episode> episodes;
  for (std::size_t i = 0; i < std::min<std::size_t>(count, source->size(split)); ++i) {
    Prompt prompt = source->prompt(split, i);
    const std::optional<std::string> answer = source->demonstration(prompt);
    if (answer) out.references.push_back({*answer});
    prompt.reference = reference_of(prompt);
    for (std::size_t sample = 0; sample < samples; ++sample) {
      const auto number = static_cast<std::int64_t>(sample);
      const auto seed = static_cast<std::uint64_t>(command.seed);
      if (prompt.messages.empty()) {
        requests.push_back(loaded.request(prompt.text, seed, i, number));
      } else {
        requests.push_back(loaded.request(encode_chat(*loaded.tokenizer, {to_json(prompt.messages), prompt.tools},
                                                      GenerationPrompt::yes, data->place(split, i)),
                                          seed, i, number));
      }
      episodes.push_back({.prompt = prompt, .group = static_cast<std::int64_t>(i), .sample = number});
    }
  }
  SamplingConfig wanted;
  wanted.temperature = samples > 1 ? command.temperature : 0;
  wanted.max_tokens = command.max_tokens;
  const SamplingConfig sampling = loaded.sampling({.sampling = wanted});
  std::vector<Completion> completions = loaded.engine->generate(requests, sampling);
  for (std::size_t i = 0; i < completions.size(); ++i) {
    if (i % samples == 0) out.texts.push_back(completions[i].text);
    episodes[i].turns.push_back({.completion = std::move(completions[i])});
  }
  if (out.references.size() != out.texts.size()) out.references.clear();
  if (command.reward.empty()) return;
  const Judging judging(directory, command);
  judge(episodes, samples, *reward_of(command, judging.services), out);
}

}  // namespace hone
