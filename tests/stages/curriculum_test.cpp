#include "stages/curriculum.h"

#include <filesystem>

#include "stages/ppo.h"
#include "stages/tiny_rl.h"
#include "support/episodes.h"

using namespace hone;
using namespace hone::test;

namespace {

CurriculumConfig two_levels() {
  CurriculumConfig config;
  for (const char* name : {"easy", "middling"}) {
    config.levels.push_back(std::make_unique<FirstLetterSpec>());
    config.levels.back()->name = name;
  }
  config.advance_at = 0.5;
  config.window = 2;
  return config;
}

/// Ten episodes of which so many succeed, and one that failed and counts for nothing.
std::vector<Episode> successes(int count) {
  std::vector<Episode> episodes(11, episode("x"));
  for (int i = 0; i < 10; ++i) episodes[static_cast<std::size_t>(i)].score.value = i < count ? 1 : 0.9;
  episodes[10].score = Score::error("late", "timeout");
  return episodes;
}

}  // namespace

TEST_CASE("stages: a curriculum moves on when enough of the window succeeds, level by level") {
  const CurriculumConfig config = two_levels();
  Curriculum curriculum(config, FirstLetterSpec(), {}, "ppo");
  MetricValues metrics;
  const auto after = [&](int count) {
    curriculum.observe(curriculum.level(), successes(count), metrics);
    return curriculum.level();
  };
  CHECK(after(10) == 0);  // the window is not full
  CHECK(after(1) == 1);   // 1.0 and 0.1
  CHECK(after(5) == 1);   // a new window
  CHECK(after(4) == 1);   // 0.45
  CHECK(after(6) == 2);   // 0.5
  CHECK(after(0) == 2);   // the stage's own environment is the last
  curriculum.observe(0, successes(10), metrics);  // of a level that was left
  CHECK(curriculum.level() == 2);
  CHECK(metrics[0] == std::pair<std::string, double>{"curriculum/level", 0});
  CHECK(metrics[1] == std::pair<std::string, double>{"curriculum/success", 1});
}

TEST_CASE("stages: a curriculum goes on where it was saved, with the same prompts") {
  const CurriculumConfig config = two_levels();
  const auto make = [&] { return Curriculum(config, FirstLetterSpec(), {.seed = 5}, "ppo"); };
  Curriculum one = make(), other = make();
  MetricValues metrics;
  for (int i = 0; i < 3; ++i) {
    one.next_prompts(3);
    one.observe(one.level(), successes(6), metrics);
    one.iteration_done();
  }
  TrainerState saved;
  one.exchange(saved);
  TrainerState restored(std::filesystem::path("nowhere"), saved.values());
  other.exchange(restored);
  for (int i = 0; i < 4; ++i) {
    CHECK(one.level() == other.level());
    CHECK(one.next_prompts(3) == other.next_prompts(3));
    one.observe(one.level(), successes(6), metrics);
    other.observe(other.level(), successes(6), metrics);
  }
  CHECK(one.level() == 2);
}

TEST_CASE("stages: without levels a curriculum is the environment and says nothing") {
  TinyRun tiny;
  PpoSpec spec = quick<PpoSpec>("ppo");
  spec.run(tiny.run);
  CHECK(tiny.series("curriculum/level").empty());
  TinyRun leveled;
  spec.rl.curriculum = two_levels();
  spec.rl.iterations = 3;
  spec.rl.curriculum.success_at = 0;
  spec.rl.curriculum.window = 1;
  spec.run(leveled.run);
  CHECK(leveled.series("curriculum/level") == std::vector<double>{0, 1, 2});
}
