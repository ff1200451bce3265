#include "stages/trainer_state.h"

#include <cmath>

#include "support/error_of.h"
#include "support/scratch.h"

#include "support/doctest_torch.h"

using namespace hone;
using namespace hone::test;

namespace {

/// One of everything.
struct Kept {
  std::int64_t count = 0;
  bool flag = false;
  std::string text;
  double number = 0;
  std::optional<double> maybe;
  at::Tensor fixed = at::zeros({3});
  at::Tensor optional;
  RowOrder order{7, "rows", 10};
  StageSummary summary;

  void exchange(TrainerState& state) {
    state.value("count", count);
    state.value("flag", flag);
    state.value("text", text);
    state.value("number", number);
    state.value("maybe", maybe);
    state.tensor("fixed", fixed);
    state.optional_tensor("optional", optional);
    state.order("order", order);
    state.summary("summary", summary);
  }
};

Json saved(Kept& kept, const std::filesystem::path& directory) {
  TrainerState state;
  kept.exchange(state);
  state.write(directory);
  return Json::parse(state.values().dump(), "values");
}

}  // namespace

TEST_CASE("stages: a trainer's state comes back as it was") {
  const Scratch scratch;
  Kept before{.count = -5, .flag = true, .text = "wörd\n\"", .number = 0.1, .maybe = 1e-300};
  before.fixed = at::tensor({1.5F, -0.0F, 1e-38F});
  before.optional = at::arange(4).to(at::kFloat).view({2, 2});
  before.order.next(17);
  before.summary = {.stage = "ppo", .held_out = {{"reward", 0.25, std::nullopt}}, .seconds = 1.25, .tokens = 7};
  const Json values = saved(before, scratch.path());
  Kept after;
  TrainerState state(scratch.path(), values);
  after.exchange(state);
  CHECK(after.count == -5);
  CHECK(after.flag);
  CHECK(after.text == before.text);
  CHECK(after.number == 0.1);
  CHECK(*after.maybe == 1e-300);
  CHECK(at::equal(after.fixed, before.fixed));
  CHECK(at::equal(after.optional, before.optional));
  CHECK(after.order.next(5) == before.order.next(5));
  CHECK(to_json(after.summary) == to_json(before.summary));
}

TEST_CASE("stages: numbers that are not finite and tensors that are not there come back too") {
  const Scratch scratch;
  for (const double number : {HUGE_VAL, -HUGE_VAL}) {
    Kept before{.number = number, .maybe = number}, after{.maybe = 3.0};
    after.optional = at::ones({2});
    TrainerState state(scratch.path(), saved(before, scratch.path()));
    after.exchange(state);
    CHECK(after.number == number);
    CHECK(*after.maybe == number);
    CHECK(!after.optional.defined());
  }
  Kept before{.number = std::nan("")}, after{.maybe = 3.0};
  TrainerState state(scratch.path(), saved(before, scratch.path()));
  after.exchange(state);
  CHECK(std::isnan(after.number));
  CHECK(!after.maybe.has_value());
}

TEST_CASE("stages: a trainer's state of another program or model is refused by name") {
  const Scratch scratch;
  Kept before;
  const Json values = saved(before, scratch.path());
  Json without = values;
  std::erase_if(without.as_object(), [](const auto& member) { return member.first == "flag"; });
  Kept kept;
  TrainerState missing(scratch.path(), without);
  HONE_CHECK_ERROR(data, kept.exchange(missing), "no 'flag'", "another version");
  kept.fixed = at::zeros({4});
  TrainerState resized(scratch.path(), values);
  HONE_CHECK_ERROR(data, kept.exchange(resized), "'fixed'", "3 values", "needs 4");
  Kept other;
  other.order = RowOrder(7, "rows", 11);
  TrainerState reordered(scratch.path(), values);
  HONE_CHECK_ERROR(data, other.exchange(reordered), "10 rows", "11");
  std::filesystem::remove(scratch.path() / "trainer.safetensors");
  TrainerState bare(scratch.path(), values);
  Kept last;
  HONE_CHECK_ERROR(data, last.exchange(bare), "no tensor 'fixed'");
}
