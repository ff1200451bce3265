#include "plugin/library_reward.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "compiled_plugin.h"
#include "plugin/library_items.h"
#include "plugin/library_spec.h"
#include "support/episodes.h"
#include "support/error_of.h"
#include "tests/conformance/reward_conformance.h"

using namespace hone;
using hone::test::compiled_plugin;
using Config = std::vector<std::pair<std::string, std::string>>;

namespace {

std::unique_ptr<LibraryReward> load(const std::filesystem::path& path, Config config = {}, std::int64_t calls = 1) {
  return std::make_unique<LibraryReward>(Library::open(path), library_settings("mine", std::move(config), 1), calls);
}

std::vector<Score> judge(LibraryReward& reward, const std::vector<std::string>& completions, Json reference = Json()) {
  std::vector<Episode> episodes;
  for (const std::string& completion : completions) episodes.push_back(test::episode(completion, reference));
  return reward.score(episodes);
}

Score judge_one(LibraryReward& reward, const std::string& completion, Json reference = Json()) {
  return judge(reward, {completion}, std::move(reference)).at(0);
}

void check_error(const Score& score, std::string_view reason, std::string_view words) {
  CAPTURE(score.note);
  CHECK(score.status == ScoreStatus::error);
  CHECK(score.reason == reason);
  CHECK(score.note.find(words) != std::string::npos);
}

}  // namespace

TEST_CASE("library reward: values, parts, notes, spans and abstentions arrive as the plug-in gave them") {
  HONE_NEEDS_COMPILERS();
  const auto reward = load(compiled_plugin("verdicts.c"), {{"scale", "0.1"}});
  CHECK(reward->scope() == RewardScope::group);
  CHECK(reward->deterministic());
  const std::vector<Score> scores = judge(*reward, {"right", "abstain", "rich"});
  REQUIRE(scores.size() == 3);
  CHECK(scores[0].status == ScoreStatus::ok);
  CHECK(scores[0].value == 0.1);
  CHECK(scores[1].status == ScoreStatus::abstain);
  CHECK(scores[1].note == "no opinion");
  CHECK(scores[2].value == 2);
  CHECK(scores[2].note == "well done");
  CHECK(scores[2].parts == std::vector<std::pair<std::string, double>>{{"half", 0.5}});
  REQUIRE(scores[2].spans.size() == 1);
  CHECK(scores[2].spans[0].turn == 0);
  CHECK(scores[2].spans[0].end_token == 3);
  CHECK(scores[2].spans[0].value == -1);
  CHECK(reward->take_metrics() == std::vector<std::pair<std::string, double>>{{"riches", 4}});
  CHECK(reward->take_metrics().empty());
  CHECK(reward->score(std::span<const Episode>()).empty());
}

TEST_CASE("library reward: the reference arrives as JSON and as the plain answer") {
  HONE_NEEDS_COMPILERS();
  const auto reward = load(compiled_plugin("verdicts.c"));
  CHECK(judge_one(*reward, "answer", test::answer("2.5")).value == 2.5);
  CHECK(judge_one(*reward, "answer", test::answer(7)).value == 7);
  CHECK(judge_one(*reward, "answer", Json("4")).value == 4);
  CHECK(judge_one(*reward, "answer", Json(4)).value == 4);
  CHECK(judge_one(*reward, "answer", test::answer(Json::array())).status == ScoreStatus::abstain);
  CHECK(judge_one(*reward, "answer").status == ScoreStatus::abstain);
  CHECK(judge_one(*reward, "second", Json::parse(R"({"list": [1, "8"]})", "test")).value == 8);
}

TEST_CASE("library reward: random numbers follow from the run's seed and the episode") {
  HONE_NEEDS_COMPILERS();
  const auto reward = load(compiled_plugin("verdicts.c"));
  std::vector<Episode> episodes(2, test::episode("seed"));
  episodes[1].sample = 1;
  const std::vector<Score> scores = reward->score(episodes);
  CHECK(scores[0].value != scores[1].value);
  CHECK(scores[0].value >= 0);
  CHECK(scores[0].value < 1);
  CHECK(load(compiled_plugin("verdicts.c"))->score(episodes)[1].value == scores[1].value);
}

TEST_CASE("library reward: what a plug-in does wrong is an error of the items concerned") {
  HONE_NEEDS_COMPILERS();
  const auto reward = load(compiled_plugin("verdicts.c"));
  const std::vector<Score> scores =
      judge(*reward, {"right", "error", "nan", "huge", "nothing", "twice", "outside", "nan part", "right"});
  REQUIRE(scores.size() == 9);
  CHECK(scores[0].value == 1);
  CHECK(scores[8].value == 1);
  check_error(scores[1], "exception", "cannot judge \xEF\xBF\xBD this");
  check_error(scores[2], "not_finite", "the value is nan");
  check_error(scores[3], "not_finite", "1e+308");
  check_error(scores[4], "protocol", "no verdict on item 4 of 9");
  check_error(scores[5], "protocol", "2 verdicts on item 5");
  check_error(scores[6], "protocol", "a span ends at token 99 of 7");
  check_error(scores[7], "not_finite", "the part bad is nan");
}

TEST_CASE("library reward: a failed call and a surplus verdict are errors of the whole call") {
  HONE_NEEDS_COMPILERS();
  const auto reward = load(compiled_plugin("verdicts.c"));
  for (const Score& score : judge(*reward, {"right", "stop", "right"})) check_error(score, "exception", "told to stop");
  for (const Score& score : judge(*reward, {"right", "surplus"})) check_error(score, "protocol", "item 1000");
  CHECK(judge_one(*reward, "right").value == 1);
}

TEST_CASE("library reward: a plug-in that cannot start says why") {
  HONE_NEEDS_COMPILERS();
  HONE_CHECK_ERROR(service, load(compiled_plugin("verdicts.c"), {{"scale", "none"}}), "reward mine",
                   "there is no scale");
  HONE_CHECK_ERROR(service, load(compiled_plugin("throwing.cpp", "-DWHERE=2")), "threw: thrown in create");
  HONE_CHECK_ERROR(config, load(compiled_plugin("guess.cpp")), "offers an environment, expected a reward");
}

TEST_CASE("library reward: exceptions that a plug-in lets out are errors") {
  HONE_NEEDS_COMPILERS();
  const auto reward = load(compiled_plugin("throwing.cpp", "-DWHERE=3"));
  check_error(judge_one(*reward, "x"), "exception", "threw: thrown in score");
  check_error(judge_one(*reward, ""), "exception", "threw an exception");
}

TEST_CASE("library reward: a C++ function of a few lines, and what it throws") {
  HONE_NEEDS_COMPILERS();
  const auto reward = load(compiled_plugin("function.cpp"));
  CHECK(reward->scope() == RewardScope::sample);
  CHECK(judge_one(*reward, "12", test::answer("12")).value == 1);
  CHECK(judge_one(*reward, "13", test::answer("12")).value == 0);
  check_error(judge_one(*reward, "13"), "exception", "the prompt has no answer");
  check_error(judge_one(*reward, "throw a number", test::answer("1")), "exception", "no std::exception");
}

TEST_CASE("library reward: a C++ class that judges groups") {
  HONE_NEEDS_COMPILERS();
  const auto reward = load(compiled_plugin("class.cpp"), {{"bonus", "0.5"}});
  CHECK(reward->scope() == RewardScope::group);
  std::vector<Episode> episodes{test::episode("a"), test::episode("abc"), test::episode("ab")};
  episodes[2].turns[0].completion.finish = FinishReason::abort;
  const std::vector<Score> scores = reward->score(episodes);
  CHECK(scores[0].value == 0.5);
  CHECK(scores[1].value == 1.5);
  CHECK(scores[1].parts == std::vector<std::pair<std::string, double>>{{"tokens", 3}});
  CHECK(scores[1].note == "of 3");
  REQUIRE(scores[1].spans.size() == 1);
  CHECK(scores[1].spans[0].end_token == 2);
  CHECK(scores[2].status == ScoreStatus::abstain);
  CHECK(reward->take_metrics() == std::vector<std::pair<std::string, double>>{{"length", 2}});
  const auto missing = load(compiled_plugin("class.cpp"), {{"missing", "1"}});
  check_error(judge_one(*missing, "a"), "exception", "returned 0 scores for 1 items");
  HONE_CHECK_ERROR(service, load(compiled_plugin("class.cpp"), {{"bonus", "much"}}),
                   "bonus: expected a number, got \"much\"");
}

TEST_CASE("library reward: the declared threads are kept") {
  HONE_NEEDS_COMPILERS();
  // Each call tells how many it saw at once: in its instance, and in the process as a part.
  const auto most_seen = [](const std::string& threads, int wait, std::int64_t calls_at_once) {
    const auto flags = fmt::format("-DTHREADS={} -DWAIT={}", threads, wait);
    const auto reward = load(compiled_plugin("crowd.c", flags), {}, 2);
    CHECK(reward->calls_at_once() == calls_at_once);
    std::vector<Score> scores(2);
    std::vector<std::thread> callers;
    for (std::size_t i = 0; i < 2; ++i) callers.emplace_back([&, i] { scores[i] = judge_one(*reward, "x"); });
    for (std::thread& caller : callers) caller.join();
    return std::pair{std::max(scores[0].value, scores[1].value),
                     std::max(scores[0].parts.at(0).second, scores[1].parts.at(0).second)};
  };
  constexpr int patient = 20000;  // milliseconds; ends as soon as there is company
  CHECK(most_seen("HONE_THREADS_ANY", patient, 2) == std::pair{2.0, 2.0});
  CHECK(most_seen("HONE_THREADS_PER_INSTANCE", patient, 2) == std::pair{1.0, 2.0});
  CHECK(most_seen("HONE_THREADS_SERIAL", 50, 1) == std::pair{1.0, 1.0});
}

TEST_CASE("library reward: tables of a later header work") {
  HONE_NEEDS_COMPILERS();
  const auto reward = load(compiled_plugin("tables.c", "-DFAULT=20"));
  CHECK(reward->scope() == RewardScope::batch);
  CHECK(judge_one(*reward, "anything").value == 1);
}

TEST_CASE("library reward: a host with a table of a later header works") {
  HONE_NEEDS_COMPILERS();
  struct LaterHost {
    hone_host now;
    void (*unknown)();
  };
  const auto host = std::make_unique<LaterHost>(LaterHost{library_host(), nullptr});
  host->now.size = sizeof(LaterHost);
  const LibrarySettings settings = library_settings("mine", {}, 1);
  const auto library = Library::open(compiled_plugin("function.cpp"));
  hone_call making(settings);
  hone_setup setup{sizeof(hone_setup), hone_string("mine"), 1};
  void* instance = nullptr;
  REQUIRE(library->reward()->create(&host->now, &making, &setup, &instance) == HONE_OK);
  const Episode episode = test::episode("12", test::answer("12"));
  const Episode* const episodes[] = {&episode};
  LibraryItems items;
  items.add(episode, 5);
  hone_call call(settings, 1);
  CHECK(library->reward()->score(instance, &call, items.data(), 1) == HONE_OK);
  CHECK(call.scores("", episodes).at(0).value == 1);
  library->reward()->destroy(instance);
}

TEST_CASE("library reward: it keeps the contract of rewards, here and in a process of its own") {
  HONE_NEEDS_COMPILERS();
  const Json reference = test::answer("12");
  for (const bool isolate : {false, true}) {
    CAPTURE(isolate);
    LibraryRewardSpec spec;
    spec.config = {.library = compiled_plugin("function.cpp").string(), .isolate = isolate};
    test::check_reward(spec, {}, {test::episode("12", reference), test::episode("3", reference), test::episode("12")});
  }
}
