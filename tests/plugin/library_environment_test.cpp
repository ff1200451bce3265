#include "plugin/library_environment.h"

#include <doctest/doctest.h>

#include <set>

#include "compiled_plugin.h"
#include "plugin/library_spec.h"
#include "support/error_of.h"
#include "tests/conformance/environment_conformance.h"

using namespace hone;
using hone::test::compiled_plugin;
using Config = std::vector<std::pair<std::string, std::string>>;

namespace {

std::unique_ptr<LibraryEnvironment> load(const char* source, Config config = {}, LibraryStates::Limits limits = {}) {
  return std::make_unique<LibraryEnvironment>(Library::open(compiled_plugin(source)),
                                              library_settings("game", std::move(config), 1), limits);
}

Episode begin(const Environment& environment, std::uint64_t index, std::int64_t sample = 0) {
  Episode episode;
  episode.prompt = environment.prompt(Split::train, index);
  episode.sample = sample;
  return episode;
}

/// Says `text` in the episode, and puts the answer into it.
Environment::Step say(Environment& environment, Episode& episode, const std::string& text) {
  episode.turns.push_back({.completion = {.text = text}});
  Environment::Step step = environment.step(episode);
  episode.turns.back().reply = step.reply;
  episode.turns.back().reward = step.reward;
  return step;
}

std::string answer_of(const Episode& episode) {
  return fmt::to_string(episode.prompt.reference.at("answer").as_integer());
}

}  // namespace

TEST_CASE("library environment: prompts are pure, with reference and demonstration") {
  HONE_NEEDS_COMPILERS();
  const auto game = load("guess.cpp");
  CHECK(game->size(Split::train) == 50);
  CHECK(game->size(Split::held_out) == 10);
  CHECK(game->deterministic());
  const Prompt prompt = game->prompt(Split::held_out, 3);
  CHECK(prompt.text == "test 3: ");
  CHECK(prompt.id == prompt_id(Split::held_out, 3));
  CHECK(prompt.split == Split::held_out);
  CHECK(game->demonstration(prompt) == fmt::to_string(prompt.reference.at("answer").as_integer()));
  CHECK(load("guess.cpp")->prompt(Split::held_out, 3).reference == prompt.reference);
  std::set<std::int64_t> hidden;
  for (std::uint64_t i = 0; i < 40; ++i)
    hidden.insert(game->prompt(Split::train, i).reference.at("answer").as_integer());
  CHECK(hidden.size() > 5);
  HONE_CHECK_ERROR(service, load("guess.cpp", {{"broken", "1"}})->prompt(Split::train, 49), "environment game",
                   "prompt 49 of the train split", "no such number");
}

TEST_CASE("library environment: messages, and prompts that are not right") {
  HONE_NEEDS_COMPILERS();
  const auto old = load("old_environment.c");
  const Prompt prompt = old->prompt(Split::train, 0);
  REQUIRE(prompt.messages.size() == 2);
  CHECK(prompt.messages[0].role == "system");
  CHECK(prompt.messages[1].content == "1+1");
  CHECK(prompt.text.empty());
  CHECK(prompt.reference == Json::parse(R"({"answer": "2"})", "test"));
  CHECK(old->prompt(Split::train, 1).reference == Json(4));
  CHECK(old->demonstration(prompt) == "2");
  HONE_CHECK_ERROR(service, old->prompt(Split::train, 2), "the reference: not valid JSON");
  HONE_CHECK_ERROR(service, old->prompt(Split::train, 3), "neither a text nor messages");
  HONE_CHECK_ERROR(service, old->prompt(Split::train, 4), "four is missing");
  Episode episode = begin(*old, 0);
  CHECK(say(*old, episode, "2").done);  // a table that ends behind `prompt`: one completion an episode
}

TEST_CASE("library environment: an episode of several turns, with rewards") {
  HONE_NEEDS_COMPILERS();
  const test::Scratch scratch;
  const auto log = scratch.path() / "log";
  const auto game = load("guess.cpp", {{"log", log.string()}});
  Episode one = begin(*game, 0, 0), two = begin(*game, 0, 1);
  const Environment::Step first = say(*game, one, "-1");
  CHECK(!first.done);
  CHECK(first.reply == " higher (1)");
  CHECK(first.reward == -0.5);
  CHECK(say(*game, two, "100").reply == " lower (1)");
  CHECK(say(*game, one, "11").reply == " lower (2)");
  CHECK(say(*game, two, "-4").reply == " higher (2)");
  const Environment::Step last = say(*game, one, answer_of(one));
  CHECK(last.done);
  CHECK(last.reply.empty());
  CHECK(last.reward == 1.0 / 3);
  CHECK(test::contents_of(log) == "reset step reset step step step step ");
}

TEST_CASE("library environment: a state that is not there is made again by the same steps") {
  HONE_NEEDS_COMPILERS();
  const test::Scratch scratch;
  const auto log = scratch.path() / "log";
  const auto game = load("guess.cpp");
  Episode episode = begin(*game, 1);
  say(*game, episode, "-1");
  say(*game, episode, "-2");
  Episode resumed = episode, branch = episode;
  const auto other = load("guess.cpp", {{"log", log.string()}});
  const Environment::Step expected = say(*game, episode, "100");
  CHECK(say(*other, resumed, "100").reply == expected.reply);
  CHECK(test::contents_of(log) == "reset step step step ");
  branch.turns[1].completion.text =
      "12";  // the same episode with another past: its own state, not the one that is kept
  branch.turns[1].reply = " lower (2)";
  CHECK(say(*other, branch, "-1").reply == " higher (3)");
}

TEST_CASE("library environment: a game that answers otherwise when it is repeated fails the step") {
  HONE_NEEDS_COMPILERS();
  const auto game = load("guess.cpp", {{"drift", "1"}});
  Episode episode = begin(*game, 1);
  CHECK(say(*game, episode, "-1").reply == " higher (1) [1]");
  Episode lost = episode;
  lost.sample = 5;
  const Environment::Step step = say(*game, lost, "-1");
  CHECK(step.done);
  CHECK(step.failure.find("step 1 was repeated") != std::string::npos);
  CHECK(step.failure.find(" higher (1) [2]") != std::string::npos);
}

TEST_CASE("library environment: states beyond the limit are saved, loaded, and go on the same") {
  HONE_NEEDS_COMPILERS();
  const auto play = [](LibraryStates::Limits limits, const std::filesystem::path& log) {
    const auto game = load("guess.cpp", {{"log", log.string()}}, limits);
    std::vector<Episode> episodes;
    for (std::int64_t i = 0; i < 4; ++i) episodes.push_back(begin(*game, 2, i));
    std::string replies;
    for (const char* guess : {"-1", "11", "-2"}) {
      for (Episode& episode : episodes) replies += say(*game, episode, guess).reply;
    }
    return replies;
  };
  const test::Scratch scratch;
  const auto log = [&](const char* name) { return scratch.path() / name; };
  const std::string all_alive = play({}, log("alive"));
  CHECK(all_alive.find(" lower (2)") != std::string::npos);
  CHECK(play({.alive = 2, .saved = 100}, log("saved")) == all_alive);
  CHECK(play({.alive = 1, .saved = 1}, log("dropped")) == all_alive);
  CHECK(play({.alive = 0, .saved = 0}, log("none")) == all_alive);
  const auto count = [&](const char* name, std::string_view word) {
    const std::string text = test::contents_of(log(name));
    std::size_t found = 0;
    for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++found;
    return found;
  };
  CHECK(count("alive", "save") == 0);
  CHECK(count("alive", "reset") == 4);
  CHECK(count("saved", "load") == 8);
  CHECK(count("saved", "reset") == 4);
  CHECK(count("dropped", "load") == 0);  // the oldest were dropped before their turn came again
  CHECK(count("dropped", "reset") == 12);
  CHECK(count("none", "save") == 0);
  CHECK(count("none", "step") == 4 * (1 + 2 + 3));
}

TEST_CASE("library environment: what fails in a step is a failure of that episode") {
  HONE_NEEDS_COMPILERS();
  const auto game = load("guess.cpp");
  Episode thrown = begin(*game, 3), nan = begin(*game, 3, 1), strange = begin(*game, 3, 2), fine = begin(*game, 3, 3);
  Episode empty = begin(*game, 3, 4);
  CHECK(say(*game, thrown, "throw").failure.find("step 1: told to throw") != std::string::npos);
  CHECK(say(*game, nan, "nan").failure.find("the reward is nan") != std::string::npos);
  CHECK(say(*game, empty, "empty").failure.find("an empty reply") != std::string::npos);
  strange.prompt.reference = Json();
  CHECK(say(*game, strange, "1").failure.find("reset: no number to guess") != std::string::npos);
  CHECK(say(*game, fine, "-1").failure.empty());
  HONE_CHECK_ERROR(config, load("function.cpp"), "offers a reward, expected an environment");
}

TEST_CASE("library environment: it keeps the contract of environments, here and in a process of its own") {
  HONE_NEEDS_COMPILERS();
  for (const bool isolate : {false, true}) {
    CAPTURE(isolate);
    LibraryEnvironmentSpec spec;
    spec.config = {.library = compiled_plugin("guess.cpp").string(), .isolate = isolate};
    test::check_environment(spec, {.seed = 1}, {.most_turns = 6});
  }
}
