#include "algo/token_rewards.h"

#include <limits>

#include "algo/gae.h"
#include "algo/kl.h"
#include "algo/packed.h"
#include "support/error_of.h"

using namespace hone;
using namespace hone::test;

namespace {

Episode two_turns() {
  Episode episode;
  episode.prompt_ids = {1, 2, 3};
  Turn first, second;
  first.completion.ids = {4, 5};
  first.reply_ids = {6, 7};
  second.completion.ids = {8, 9, 10};
  episode.turns = {first, second};
  return episode;
}

const double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("algo: token rewards of the golden case") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto golden = golden_case(folder, "rewards.json", "tune_rewards_ppo");
  const auto& inputs = golden.at("inputs");
  const auto logprob = tensor_of(inputs.at("logprobs"));
  const auto kl = kl_estimate(logprob, tensor_of(inputs.at("ref_logprobs")), KlEstimator::k1);
  CHECK(gap(kl, tensor_of(golden.at("expected").at("kl"))) < 1e-9);
  const auto reward =
      token_rewards(starts_of_table(logprob), at::ones({9}), tensor_of(inputs.at("scores")), {}, kl.view(-1), {},
                    {.kl_coefficient = golden.at("params").at("kl_coeff").as_number()});
  CHECK(gap(reward.view_as(logprob), tensor_of(golden.at("expected").at("rewards"))) < 1e-9);
}

TEST_CASE("algo: the score lands on the last response token, KL on every one") {
  // Sequence 0: prompt, two actions, last row. Sequence 1: prompt, action, reply, action, last row.
  const auto start = starts_of({4, 5});
  const auto mask = numbers({0, 1, 1, 0, 0, 1, 0, 1, 0});
  const auto kl = numbers({kNan, .5, -1, kNan, kNan, 2, kNan, 4, kNan});
  const auto reward = token_rewards(start, mask, numbers({1, -3}), {}, kl, {}, {.kl_coefficient = .1});
  CHECK(gap(reward, numbers({0, -.05, 1.1, 0, 0, -.2, 0, -3.4, 0})) < 1e-12);
  CHECK(gap(last_action_rows(start, mask), numbers({2, 7})) == 0.0);
}

TEST_CASE("algo: a truncated episode pays the missing end-of-sequence from its score") {
  const auto truncated = at::tensor(std::vector<int>{1, 0}).to(at::kBool);
  const auto reward = token_rewards(starts_of({2, 2}), numbers({1, 0, 1, 0}), numbers({1, 1}), truncated, {}, {},
                                    {.missing_eos_penalty = .75});
  CHECK(gap(reward, numbers({.25, 0, 1, 0})) == 0.0);
}

TEST_CASE("algo: a failed episode has no action rows and its score is not read") {
  const auto mask = numbers({1, 0, 0, 0});
  const auto reward = token_rewards(starts_of({2, 2}), mask, numbers({1, kNan}), {}, {}, {{.row = 2, .value = 5}}, {});
  CHECK(gap(reward, numbers({1, 0, 0, 0})) == 0.0);
  CHECK(gap(last_action_rows(starts_of({2, 2}), mask), numbers({0, -1})) == 0.0);
}

TEST_CASE("algo: score spans land on the row that predicts their last token") {
  auto episode = two_turns();
  episode.score.spans = {{.turn = 0, .end_token = 2, .value = .5}, {.turn = 1, .end_token = 1, .value = -1}};
  const auto spans = span_rewards(episode, 100);
  REQUIRE(spans.size() == 2);
  CHECK(spans[0].row == 103);  // ids 1 2 3 4 [5]: row 3 predicts 5
  CHECK(spans[1].row == 106);  // … 6 7 [8]: row 6 predicts 8
  CHECK(spans[1].value == -1.0);

  const auto mask = numbers({0, 0, 1, 1, 0, 0, 1, 1, 1, 0});
  const auto local = span_rewards(episode, 0);
  const auto reward = token_rewards(starts_of({10}), mask, numbers({2}), {}, {}, local, {});
  CHECK(gap(reward, numbers({0, 0, 0, .5, 0, 0, -1, 0, 2, 0})) == 0.0);
}

TEST_CASE("algo: a span outside its episode is an error that names it") {
  auto episode = two_turns();
  episode.score.spans = {{.turn = 2, .end_token = 1, .value = 1}};
  HONE_CHECK_ERROR(service, span_rewards(episode, 0), "turn 2", "2 turns");
  episode.score.spans = {{.turn = 0, .end_token = 3, .value = 1}};
  HONE_CHECK_ERROR(service, span_rewards(episode, 0), "token 3", "1 to 2");
  episode.score.spans = {{.turn = 0, .end_token = 0, .value = 1}};
  HONE_CHECK_ERROR(service, span_rewards(episode, 0), "token 0");
}

TEST_CASE("algo: with after_last the score lands behind the last action, but for the longest episode") {
  // Two actions; one action; none (a failed episode); two actions with a reply between them.
  const auto start = starts_of({4, 3, 2, 5});
  const auto mask = numbers({0, 1, 1, 0, /**/ 1, 0, 0, /**/ 0, 0, /**/ 1, 0, 1, 0, 0});
  CHECK(gap(score_rows(start, mask, ScorePosition::last_token), numbers({2, 4, -1, 11})) == 0.0);
  CHECK(gap(score_rows(start, mask, ScorePosition::after_last), numbers({2, 5, -1, 11})) == 0.0);
  CHECK(gap(credit_mask(start, mask, ScorePosition::last_token), mask) == 0.0);
  CHECK(gap(credit_mask(start, mask, ScorePosition::after_last),
            numbers({0, 1, 1, 0, /**/ 1, 1, 0, /**/ 0, 0, /**/ 1, 0, 1, 0, 0})) == 0.0);
  const auto kl = at::ones({14}, at::kDouble);
  const auto reward = token_rewards(start, mask, numbers({1, 2, kNan, 4}), {}, kl, {},
                                    {.kl_coefficient = .1, .score_position = ScorePosition::after_last});
  CHECK(gap(reward, numbers({0, -.1, .9, 0, /**/ -.1, 2, 0, /**/ 0, 0, /**/ -.1, 0, 3.9, 0, 0})) < 1e-12);
}

TEST_CASE("algo: KL in the reward carries no gradient") {
  const auto logprob = leaf(numbers({-1, -2}));
  const auto kl = kl_estimate(logprob, numbers({-1.5, -1}), KlEstimator::k1);
  CHECK(kl.requires_grad());
  const auto reward = token_rewards(starts_of({2}), numbers({1, 1}), numbers({0}), {}, kl, {}, {.kl_coefficient = 1});
  CHECK(!reward.requires_grad());
}
