#include "stages/step_means.h"

#include <cmath>

#include "support/doctest_torch.h"
#include "support/scratch.h"

using namespace hone;
using namespace hone::test;

namespace {

void add_step(StepMeans& means, double loss, double rate) {
  means.mean("loss", loss);
  means.last("learning_rate", rate);
  means.rate("tokens_per_second", 30, loss);
}

}  // namespace

TEST_CASE("stages: a row of metrics holds means, last values and rates of the steps since the row before") {
  StepMeans means;
  add_step(means, 1, 0.5);
  add_step(means, 3, 0.25);
  CHECK(means.take() == MetricValues{{"loss", 2}, {"learning_rate", 0.25}, {"tokens_per_second", 15}});
  CHECK(means.take().empty());
  add_step(means, 4, 0.125);
  CHECK(means.take().front() == std::pair<std::string, double>("loss", 4));
}

TEST_CASE("stages: values that are not finite count only where there are no others") {
  StepMeans means;
  means.mean("loss", std::nan(""));
  means.mean("loss", 3);
  CHECK(means.take().front().second == 3);
  means.mean("loss", HUGE_VAL);
  CHECK(means.take().front().second == HUGE_VAL);
}

TEST_CASE("stages: means go on over a checkpoint, which holds nothing of the clock") {
  const Scratch scratch;
  StepMeans before, other, after;
  add_step(before, 1, 0.5);
  add_step(other, 1, 0.5);
  other.rate("tokens_per_second", 5, 7);  // a faster machine
  TrainerState saved, twin;
  before.exchange(saved);
  other.exchange(twin);
  CHECK(saved.values().dump() == twin.values().dump());
  TrainerState restored(scratch.path(), saved.values());
  after.exchange(restored);
  add_step(after, 3, 0.25);
  CHECK(after.take() == MetricValues{{"loss", 2}, {"learning_rate", 0.25}, {"tokens_per_second", 10}});
}
