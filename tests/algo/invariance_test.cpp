// One minibatch of packed episodes, learned from in different cuts and orders: the gradients must be the same.
#include <numeric>

#include "algo/gae.h"
#include "algo/importance.h"
#include "algo/kl.h"
#include "algo/masked.h"
#include "algo/packed.h"
#include "algo/policy_loss.h"
#include "algo/value_loss.h"
#include "base/random.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr std::int64_t kEpisodes = 12, kConstantLength = 16;

/// Float32 streams of episodes with a prompt, a few tokens and some environment rows.
struct Streams {
  std::vector<std::int64_t> lengths;
  at::Tensor mask, logprob, old_logprob, ref_logprob, rollout_logprob, reward, value, old_value;

  /// Those of the given episodes, in that order.
  Streams pick(const std::vector<std::int64_t>& order) const {
    std::vector<std::int64_t> begin(lengths.size() + 1, 0);
    std::partial_sum(lengths.begin(), lengths.end(), begin.begin() + 1);
    Streams part;
    const auto gather = [&](const at::Tensor& stream) {
      std::vector<at::Tensor> pieces;
      for (const auto s : order) {
        const auto at_s = static_cast<std::size_t>(s);
        pieces.push_back(stream.narrow(0, begin[at_s], lengths[at_s]));
      }
      return at::cat(pieces);
    };
    for (const auto s : order) part.lengths.push_back(lengths[static_cast<std::size_t>(s)]);
    part.mask = gather(mask), part.reward = gather(reward);
    part.logprob = gather(logprob), part.old_logprob = gather(old_logprob);
    part.ref_logprob = gather(ref_logprob), part.rollout_logprob = gather(rollout_logprob);
    part.value = gather(value), part.old_value = gather(old_value);
    return part;
  }
};

Streams make_streams() {
  Random random(stream_key(3, "streams"));
  Streams streams;
  std::vector<float> mask;
  for (std::int64_t s = 0; s < kEpisodes; ++s) {
    const auto length = 4 + static_cast<std::int64_t>(random.below(9));
    streams.lengths.push_back(length);
    for (std::int64_t t = 0; t < length; ++t) {
      mask.push_back(t == 0 || t == length - 1 ? 0.0f : static_cast<float>(t == 1 || random.below(4) > 0));
    }
  }
  const auto draw = [&](double scale) {
    std::vector<float> values;
    for (std::size_t t = 0; t < mask.size(); ++t) values.push_back(static_cast<float>(scale * random.normal()));
    return at::tensor(values);
  };
  streams.mask = at::tensor(mask);
  streams.old_logprob = draw(1) - 2;
  streams.logprob = streams.old_logprob + draw(0.3);
  streams.ref_logprob = streams.old_logprob + draw(0.2);
  streams.rollout_logprob = streams.old_logprob + draw(0.1);
  streams.reward = draw(1), streams.old_value = draw(0.5);
  streams.value = streams.old_value + draw(0.3);
  return streams;
}

struct Result {
  at::Tensor logprob_grad, value_grad;
  double loss = 0;
  PolicyMetrics metrics;
};

/// Everything a PPO step adds up, over the episodes of `order` cut into micro-batches of `size`; gradients come back in
/// the order of the whole batch. Advantages are whitened over the whole batch, as a run does.
Result learn(const Streams& all, const std::vector<std::int64_t>& order, std::size_t size, Aggregation aggregation,
             RatioLevel level) {
  const auto whole =
      gae(all.reward, all.old_value, starts_of(all.lengths), all.mask, {}, {.gamma = .99, .lambda = .95});
  auto source = all;
  source.logprob = all.logprob.clone().set_requires_grad(true);
  source.value = all.value.clone().set_requires_grad(true);
  const auto advantage = masked_whiten(whole.advantage_T, all.mask);
  const auto ordered = source.pick(order);
  const double denominator = loss_denominator(aggregation, starts_of(ordered.lengths), ordered.mask, kConstantLength);
  Result result;
  for (std::size_t begin = 0; begin < order.size(); begin += size) {
    const std::vector<std::int64_t> cut(
        order.begin() + static_cast<std::ptrdiff_t>(begin),
        order.begin() + static_cast<std::ptrdiff_t>(std::min(begin + size, order.size())));
    const auto micro = source.pick(cut);
    auto extra = all;
    extra.reward = advantage, extra.old_value = whole.return_T;
    const auto credit = extra.pick(cut);
    const auto rows = loss_rows(aggregation, starts_of(micro.lengths), micro.mask, denominator);
    const auto old = rows.select(micro.old_logprob), logprob = rows.select(micro.logprob);
    const auto importance = importance_weights(old, rows.select(micro.rollout_logprob), rows, {.level = level, .cap = 2});
    const auto policy = policy_loss(logprob, old, rows.select(credit.reward), importance, rows, {.ratio = level});
    const auto value =
        value_loss(rows.select(micro.value), rows.select(micro.old_value), rows.select(credit.old_value), rows, 0.2);
    const auto loss =
        policy.loss + 0.1 * value.loss + 0.05 * kl_loss(logprob, rows.select(micro.ref_logprob), KlEstimator::k2, rows);
    loss.backward();
    result.loss += loss.item<double>();
    result.metrics.add(policy.metrics);
  }
  result.logprob_grad = source.logprob.grad(), result.value_grad = source.value.grad();
  return result;
}

double relative_gap(const at::Tensor& a, const at::Tensor& b) { return ((a - b).norm() / b.norm()).item<double>(); }

std::vector<std::int64_t> in_order() {
  std::vector<std::int64_t> order(kEpisodes);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

constexpr Aggregation kAll[] = {Aggregation::token_mean, Aggregation::sequence_mean, Aggregation::constant_length};

}  // namespace

TEST_CASE("algo: micro-batches of 1, 4 and all episodes give one gradient and one set of metrics") {
  const auto streams = make_streams();
  for (const auto aggregation : kAll) {
    for (const auto level : {RatioLevel::token, RatioLevel::sequence}) {
      const auto whole = learn(streams, in_order(), kEpisodes, aggregation, level);
      CHECK(whole.logprob_grad.norm().item<double>() > 1e-3);
      for (const std::size_t size : {1, 4}) {
        const auto cut = learn(streams, in_order(), size, aggregation, level);
        CHECK(relative_gap(cut.logprob_grad, whole.logprob_grad) <= 1e-6);
        CHECK(relative_gap(cut.value_grad, whole.value_grad) <= 1e-6);
        CHECK(cut.loss == doctest::Approx(whole.loss).epsilon(1e-6));
        CHECK(cut.metrics.clip_ratio_low() == whole.metrics.clip_ratio_low());
        CHECK(cut.metrics.clip_ratio_high() == whole.metrics.clip_ratio_high());
        CHECK(cut.metrics.approx_kl() == doctest::Approx(whole.metrics.approx_kl()).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("algo: the order of episodes does not matter") {
  const auto streams = make_streams();
  auto order = in_order();
  Random(stream_key(1, "order")).shuffle(order);
  for (const auto aggregation : kAll) {
    const auto a = learn(streams, in_order(), 4, aggregation, RatioLevel::token);
    const auto b = learn(streams, order, 4, aggregation, RatioLevel::token);
    CHECK(relative_gap(b.logprob_grad, a.logprob_grad) <= 1e-6);
    CHECK(relative_gap(b.value_grad, a.value_grad) <= 1e-6);
  }
}

TEST_CASE("algo: a doubled batch gives the same mean gradient") {
  const auto streams = make_streams();
  auto twice = in_order();
  twice.insert(twice.end(), twice.begin(), twice.begin() + kEpisodes);
  for (const auto aggregation : kAll) {
    const auto once = learn(streams, in_order(), 4, aggregation, RatioLevel::token);
    const auto doubled = learn(streams, twice, 5, aggregation, RatioLevel::token);
    CHECK(relative_gap(doubled.logprob_grad, once.logprob_grad) <= 1e-6);
  }
}

TEST_CASE("algo: aggregations differ when lengths do") {
  const auto streams = make_streams();
  const auto token = learn(streams, in_order(), kEpisodes, Aggregation::token_mean, RatioLevel::token);
  const auto sequence = learn(streams, in_order(), kEpisodes, Aggregation::sequence_mean, RatioLevel::token);
  CHECK(relative_gap(sequence.logprob_grad, token.logprob_grad) > 1e-2);
}
