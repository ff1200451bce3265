#include "stages/rl_guards.h"

#include "base/log.h"
#include "stages/ppo.h"
#include "stages/tiny_rl.h"
#include "support/episodes.h"

using namespace hone;
using namespace hone::test;

namespace {

PpoSpec quick_ppo(std::unique_ptr<RewardSpec> reward) { return quick<PpoSpec>("ppo", std::move(reward)); }

ScoreSummary summary_of(std::vector<double> scores) { return summarize_scores(at::tensor(scores), {}); }

}  // namespace

TEST_CASE("stages: tokens of other weights than those that learn are an error, masked ones do not count") {
  Batch batch;
  batch.version_T = at::tensor(std::vector<std::int64_t>{0, 7, 7, 6, 7}, at::kLong);
  batch.mask_T = at::tensor(std::vector<float>{0, 1, 1, 0, 1});
  CHECK_NOTHROW(check_policy_lag(batch, 7, 7));
  HONE_CHECK_ERROR(internal, check_policy_lag(batch, 8, 8), "3 of 3 tokens", "version 7", "(8 to 8)");
  batch.mask_T[3] = 1;
  HONE_CHECK_ERROR(internal, check_policy_lag(batch, 7, 7), "1 of 4 tokens", "version 6", "(7 to 7)");
  CHECK_NOTHROW(check_policy_lag(batch, 6, 7));
  HONE_CHECK_ERROR(internal, check_policy_lag(batch, 6, 6), "3 of 4 tokens", "version 7");
}

TEST_CASE("stages: more failures than allowed over the window end the run, up to the allowed share they do not") {
  const auto collection = [](int failed) {
    std::vector<Episode> episodes(10, episode("7"));
    for (Episode& one : episodes) one.score = {.value = 1};
    for (int i = 0; i < failed; ++i) episodes[static_cast<std::size_t>(i)].score = Score::error("judge: took too long", "timeout");
    return episodes;
  };
  ErrorWindow window(0.1, 2);  // of 20 episodes, 2 may fail
  CHECK_NOTHROW(window.observe(collection(2)));
  CHECK_NOTHROW(window.observe(collection(0)));
  CHECK_NOTHROW(window.observe(collection(2)));
  HONE_CHECK_ERROR(service, window.observe(collection(1)), "3 episodes", "last 2 iterations of 10", "0.1", "allows 2",
                   "judge: took too long", "\"7\"");
  ErrorWindow never(1, 1);
  CHECK_NOTHROW(never.observe(collection(10)));
  ErrorWindow none(0, 1);
  CHECK_NOTHROW(none.observe(collection(0)));
  HONE_CHECK_ERROR(service, none.observe(collection(1)), "1 episodes");
  CHECK(Error(ErrorKind::service, "").exit_code() == 69);
}

TEST_CASE("stages: every token is drawn by the weights that the iteration's updates start from") {
  TinyRun tiny;
  std::vector<std::int64_t> versions;
  PpoSpec spec = quick_ppo(reward_of("versions", [&](const Episode& episode) {
    const std::int64_t now = tiny.run.model->store.version();
    for (const std::int64_t version : episode.turns[0].completion.version) CHECK(version == now);
    CHECK(episode.turns[0].completion.version.size() == episode.turns[0].completion.ids.size());
    if (episode.prompt.split == Split::train && (versions.empty() || versions.back() != now)) versions.push_back(now);
    return Score{.value = static_cast<double>(episode.prompt.id % 3)};
  }));
  spec.rl.iterations = 3;
  spec.rl.epochs = 2;
  spec.rl.minibatch = 8;
  spec.run(tiny.run);
  CHECK(versions == std::vector<std::int64_t>{0, 4, 8});
}

TEST_CASE("stages: weights that change between sampling and update stop the run") {
  TinyRun tiny;
  PpoSpec spec = quick_ppo(reward_of("meddler", [&tiny](const Episode& episode) {
    if (episode.prompt.split == Split::train) tiny.run.model->store.set_version(41);
    return Score{.value = static_cast<double>(episode.prompt.id % 3)};
  }));
  HONE_CHECK_ERROR(internal, spec.run(tiny.run), "drawn by other weights", "version 0", "(41 to 41)");
  CHECK(tiny.series("loss").empty());
}

TEST_CASE("stages: NaN and infinite rewards are errors: masked, counted, and no part of any mean") {
  const auto trained = [](Score bad, std::vector<double>& reward) {
    TinyRun tiny;
    PpoSpec spec = quick_ppo(reward_of("judge", [bad](const Episode& episode) {
      return episode.sample == 0 ? bad : Score{.value = static_cast<double>(episode.prompt.id % 3)};
    }));
    spec.rl.max_error_share = 0.5;
    spec.run(tiny.run);
    CHECK(tiny.series("reward_errors") == std::vector<double>{8});
    reward = tiny.series("reward");
    return tiny.weights();
  };
  std::vector<double> reward, other;
  const at::Tensor failed = trained(Score::error("asleep"), reward);
  CHECK(failed.isfinite().all().item<bool>());
  for (const double value : {std::nan(""), std::numeric_limits<double>::infinity(), -1e300}) {
    CHECK(at::equal(trained({.value = value}, other), failed));
    CHECK(other == reward);
  }
  TinyRun tiny;
  PpoSpec spec = quick_ppo(constant_reward(std::nan("")));
  HONE_CHECK_ERROR(service, spec.run(tiny.run), "16 episodes", "of 16", "the value is nan");
}

TEST_CASE("stages: collections whose scores are all equal are counted, and stop the run by choice") {
  CHECK(count_constant_rewards(summary_of({0, 0}), 0, 0) == 1);
  CHECK(count_constant_rewards(summary_of({0.5, 0.5}), 6, 0) == 7);
  CHECK(count_constant_rewards(summary_of({0.5, 0.25}), 6, 3) == 0);
  CHECK(count_constant_rewards(summarize_scores(at::ones({2}), at::zeros({2}, at::kBool)), 6, 3) == 6);
  CHECK(count_constant_rewards(summary_of({1, 1}), 1, 3) == 2);
  HONE_CHECK_ERROR(service, count_constant_rewards(summary_of({1, 1}), 2, 3), "3 iterations in a row",
                   "constant_reward_patience: 3", "all 2 scores equal 1");
}

TEST_CASE("stages: a reward that never fires is warned about, and stops the run when it may not go on") {
  TinyRun tiny;
  PpoSpec spec = quick_ppo(constant_reward(0));
  spec.rl.iterations = 4;
  std::string log;
  set_log_printer([&log](std::string_view line) { log += std::string(line) + "\n"; });
  spec.run(tiny.run);
  set_log_printer({});
  CHECK(tiny.series("reward").size() == 4);
  std::size_t warnings = 0;
  for (std::size_t at = 0; (at = log.find("the reward never fires", at)) != std::string::npos; ++at) ++warnings;
  CHECK(warnings == 4);

  TinyRun strict;
  spec.rl.constant_reward_patience = 3;
  HONE_CHECK_ERROR(service, spec.run(strict.run), "3 iterations in a row", "the reward never fires");
  CHECK(strict.series("reward").size() == 2);

  // One iteration that teaches something starts the count anew.
  TinyRun moody;
  PpoSpec sometimes = quick_ppo(reward_of("sometimes", [](const Episode& episode) {
    return Score{.value = episode.visit % 3 == 0 ? static_cast<double>(episode.sample) : 1.0};
  }));
  sometimes.rl.iterations = 6;
  sometimes.rl.constant_reward_patience = 3;
  sometimes.run(moody.run);
  CHECK(moody.series("reward").size() == 6);
}
