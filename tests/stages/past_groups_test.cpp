#include "stages/past_groups.h"

#include <filesystem>
#include <set>

#include "stages/tiny_run.h"
#include "support/episodes.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Two groups of two episodes that say when and where they were drawn.
std::vector<Episode> collected(std::int64_t iteration) {
  std::vector<Episode> episodes;
  for (int i = 0; i < 4; ++i) {
    Episode drawn = episode(std::to_string(iteration));
    drawn.prompt = FirstLetter(true).prompt(Split::train, static_cast<std::uint64_t>(i / 2));
    drawn.group = i / 2;
    drawn.sample = i % 2;
    drawn.score.value = static_cast<double>(iteration) + 0.1 * i;
    drawn.score.parts = {{"own", drawn.score.value}};
    drawn.score.spans = {{0, 1, 0.3}};
    episodes.push_back(drawn);
  }
  return episodes;
}

std::vector<double> scores_of(const std::vector<Episode>& episodes) {
  std::vector<double> scores;
  for (const Episode& drawn : episodes) scores.push_back(drawn.score.value);
  return scores;
}

}  // namespace

TEST_CASE("stages: past groups come whole, from the last iterations, and are numbered anew") {
  const PastConfig config{.groups = 3, .iterations = 2};
  PastGroups past(config, 9);
  CHECK(past.draw(1, 2).empty());
  for (std::int64_t iteration = 1; iteration <= 4; ++iteration) past.keep(iteration, collected(iteration));
  const std::vector<Episode> drawn = past.draw(5, 2);
  REQUIRE(drawn.size() == 6);
  std::set<double> seen;
  for (std::size_t i = 0; i < drawn.size(); i += 2) {
    CHECK(drawn[i].group == 2 + static_cast<std::int64_t>(i / 2));
    CHECK(drawn[i + 1].group == drawn[i].group);
    CHECK(drawn[i + 1].prompt.id == drawn[i].prompt.id);
    CHECK(drawn[i].score.value >= 3);
    CHECK(seen.insert(drawn[i].score.value).second);
  }
  CHECK(scores_of(past.draw(5, 0)) == scores_of(drawn));
}

TEST_CASE("stages: past groups go on where they were saved, scores included") {
  const PastConfig config{.groups = 2, .iterations = 3};
  const FirstLetter environment(true);
  PastGroups past(config, 9), restored(config, 9);
  for (std::int64_t iteration = 1; iteration <= 3; ++iteration) past.keep(iteration, collected(iteration));
  const Scratch scratch;
  TrainerState saved;
  past.exchange(saved, environment);
  saved.write(scratch.path());
  TrainerState state(scratch.path(), saved.values());
  restored.exchange(state, environment);
  for (std::int64_t iteration = 4; iteration < 8; ++iteration) {
    const std::vector<Episode> one = past.draw(iteration, 1), other = restored.draw(iteration, 1);
    REQUIRE(one.size() == other.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      CHECK(one[i].score.value == other[i].score.value);
      CHECK(one[i].score.parts == other[i].score.parts);
      CHECK(one[i].score.spans.at(0).value == other[i].score.spans.at(0).value);
      CHECK(one[i].turns.at(0).completion.ids == other[i].turns.at(0).completion.ids);
      CHECK(one[i].prompt.text == other[i].prompt.text);
    }
    past.keep(iteration, collected(iteration));
    restored.keep(iteration, collected(iteration));
  }
}
