// One record of episodes, learned from by the whole stage in ways that must not matter: cut into other passes, in another
// order, twice, with prompts computed once or apart, and with a constant added to every reward.
#include <map>

#include "data/order.h"
#include "rollout/collect.h"
#include "stages/ppo.h"
#include "stages/tiny_rl.h"

using namespace hone;
using namespace hone::test;

namespace {

/// A prompt's id addresses its samples, so the same entry twice is the same episode twice.
struct Entry {
  std::uint64_t id;
  std::string text;
};

/// Hands out `entries` in exactly this order, whatever order the stage asks in.
class Listed : public Environment {
 public:
  Listed(const std::vector<Entry>& entries, std::uint64_t seed) : entries_(entries.size()) {
    const std::vector<std::uint64_t> order = RowOrder(seed, "prompts/ppo", entries.size()).next(entries.size());
    for (std::size_t i = 0; i < order.size(); ++i) entries_[order[i]] = entries[i];
  }
  std::uint64_t size(Split) const override { return entries_.size(); }
  Prompt prompt(Split split, std::uint64_t index) const override {
    return {.id = entries_[index].id, .split = split, .text = entries_[index].text};
  }

 private:
  std::vector<Entry> entries_;
};

class ListedSpec : public EnvironmentSpec {
 public:
  explicit ListedSpec(std::vector<Entry> entries) : entries_(std::move(entries)) { kind = name = "listed"; }
  void describe(Fields&) override {}
  std::unique_ptr<Environment> make(const Services& services) const override {
    return std::make_unique<Listed>(entries_, services.seed);
  }

 private:
  std::vector<Entry> entries_;
};

/// Six texts of different lengths; each is asked three times, by three ids.
std::vector<Entry> adjacent() {
  std::vector<Entry> entries;
  for (const char* text : {"a>", "bcd>", "efghi>", "bcde>", "k>", "lmnopqr>"}) {
    for (int i = 0; i < 3; ++i) entries.push_back({entries.size(), text});
  }
  return entries;
}

/// No two neighbours ask the same.
std::vector<Entry> apart() {
  const std::vector<Entry> together = adjacent();
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < together.size(); ++i) entries.push_back(together[i % 6 * 3 + i / 6]);
  return entries;
}

std::vector<Entry> twice(std::vector<Entry> entries) {
  const std::size_t once = entries.size();
  for (std::size_t i = 0; i < once; ++i) entries.push_back(entries[i]);
  return entries;
}

struct Variant {
  std::vector<Entry> entries = adjacent();
  std::int64_t tokens_per_pass = 8192;
  double bonus = 0;
};

bool is_doubled(const Variant& variant) { return variant.entries.size() > adjacent().size(); }

const std::map<std::string, Variant>& ways() {
  static const std::map<std::string, Variant> all = {
      {"one episode a pass", {.tokens_per_pass = 1}},
      {"about four episodes a pass", {.tokens_per_pass = 40}},
      {"other order, prompts computed apart", {.entries = apart()}},
      {"doubled", {.entries = twice(adjacent())}},
      {"doubled, other order, about four episodes a pass", {.entries = twice(apart()), .tokens_per_pass = 40}},
  };
  return all;
}

/// Written tokens with a low id: whole numbers, so that adding one is exact in float32.
std::unique_ptr<RewardSpec> low_count(double bonus) {
  return reward_of("low_count", [bonus](const Episode& episode) {
    const std::vector<std::int32_t>& ids = episode.turns[0].completion.ids;
    return Score{.value = bonus + static_cast<double>(std::count_if(ids.begin(), ids.end(), [](auto id) { return id < 64; }))};
  });
}

struct Outcome {
  at::Tensor moved;  ///< weights after - before
  std::map<std::string, std::vector<double>> series;
};

using Change = std::function<void(PpoSpec&)>;

Outcome learn(const Variant& variant, const Change& change) {
  TinyRun tiny;
  PpoSpec spec = quick<PpoSpec>("ppo", low_count(variant.bonus));
  spec.rl.environment = std::make_unique<ListedSpec>(variant.entries);
  spec.rl.prompts = spec.rl.minibatch = static_cast<std::int64_t>(variant.entries.size());
  spec.rl.samples = 1;
  spec.rl.tokens_per_pass = variant.tokens_per_pass;
  spec.gae.lambda = 1;
  change(spec);
  tiny.run.use_heads({.value = spec.critic.trunk == CriticTrunk::shared});
  const at::Tensor before = tiny.weights();
  spec.run(tiny.run);
  Outcome outcome{.moved = tiny.weights() - before};
  for (const char* metric : {"grad_norm", "loss", "value_loss", "clip_ratio/low_mean", "clip_ratio/high_mean",
                             "value_clip_ratio", "skipped_updates", "epochs", "reward"}) {
    outcome.series[metric] = tiny.series(metric);
  }
  return outcome;
}

/// One step whose size is the gradient times a thousand: AdamW with an eps that dwarfs every gradient, so that the weights
/// show the accumulated gradient to float32's last digits.
void show_gradient(PpoSpec& spec) {
  spec.rl.optimizer.learning_rate = 1e7;
  spec.rl.optimizer.eps = 1e4;
  spec.rl.optimizer.max_grad_norm = 0;
}

/// Enough steps on one collection that ratios and values leave their bounds.
void take_decisions(PpoSpec& spec) {
  spec.rl.optimizer.learning_rate = 3e-3;
  spec.rl.optimizer.eps = 1e-3;  // so that Adam does not turn rounding of a tiny gradient into a step
  spec.rl.epochs = 4;
  spec.rl.clip_low = spec.rl.clip_high = 0.02;
  spec.critic.clip = 0.01;
}

/// `change`, with advantages as they are: whitening divides by n - 1, and a doubled batch has another n.
Change unwhitened(const Change& change) {
  return [change](PpoSpec& spec) {
    change(spec);
    spec.whiten_advantages = false;
  };
}

double relative_gap(const Outcome& a, const Outcome& b) {
  return ((a.moved - b.moved).to(at::kDouble).norm() / b.moved.to(at::kDouble).norm()).item<double>();
}

bool close(const std::vector<double>& a, const std::vector<double>& b, double share = 2e-6) {
  return !a.empty() && std::equal(a.begin(), a.end(), b.begin(), b.end(),
                                  [share](double x, double y) { return x == doctest::Approx(y).epsilon(share); });
}

}  // namespace

TEST_CASE("stages: prompts asked in a row are computed once, asked apart they are computed apart") {
  TinyRun tiny;
  const auto prefilled = [&tiny](const std::vector<Entry>& entries) {
    Listed environment(entries, tiny.run.seed);
    Engine engine(*tiny.run.model, *tiny.run.tokenizer, {});
    const auto order = RowOrder(tiny.run.seed, "prompts/ppo", entries.size()).next(entries.size());
    collect(engine, *tiny.run.tokenizer, environment, order, {.max_tokens = 2}, {});
    return engine.prefilled_tokens();
  };
  CHECK(prefilled(apart()) == 3 * prefilled(adjacent()));
}

TEST_CASE("stages: passes, order, doubling and shared prompts leave the accumulated gradient as it was") {
  for (const Aggregation aggregation : {Aggregation::token_mean, Aggregation::sequence_mean}) {
    const Change change = [aggregation](PpoSpec& spec) {
      show_gradient(spec);
      spec.rl.aggregation = aggregation;
      spec.rl.kl.place = KlPlace::reward;
      spec.rl.entropy_coefficient = 0.01;
    };
    const Outcome white = learn({}, change), plain = learn({}, unwhitened(change));
    CHECK(white.series.at("grad_norm").at(0) > 1e-3);
    for (const auto& [name, way] : ways()) {
      CAPTURE(name);
      const Outcome& whole = is_doubled(way) ? plain : white;
      const Outcome other = learn(way, is_doubled(way) ? unwhitened(change) : change);
      CHECK(relative_gap(other, whole) <= 1e-6);
      for (const char* metric : {"grad_norm", "loss", "value_loss"}) {
        CHECK(close(other.series.at(metric), whole.series.at(metric)));
      }
    }
  }
}

TEST_CASE("stages: passes, order, doubling and shared prompts leave every decision as it was") {
  for (const CriticTrunk trunk : {CriticTrunk::shared, CriticTrunk::separate}) {
    const Change change = [trunk](PpoSpec& spec) {
      take_decisions(spec);
      spec.critic.trunk = trunk;
    };
    const Outcome white = learn({}, change), plain = learn({}, unwhitened(change));
    for (const char* metric : {"clip_ratio/low_mean", "clip_ratio/high_mean", "value_clip_ratio"}) {
      CHECK(white.series.at(metric).at(0) > 0);
    }
    for (const auto& [name, way] : ways()) {
      CAPTURE(name);
      const Outcome& whole = is_doubled(way) ? plain : white;
      const Outcome other = learn(way, is_doubled(way) ? unwhitened(change) : change);
      for (const char* metric :
           {"clip_ratio/low_mean", "clip_ratio/high_mean", "value_clip_ratio", "epochs", "skipped_updates", "reward"}) {
        CHECK(other.series.at(metric) == whole.series.at(metric));
      }
      CHECK(close(other.series.at("value_loss"), whole.series.at("value_loss"), 1e-5));
      CHECK(relative_gap(other, whole) < 1e-4);
    }
  }
}

TEST_CASE("stages: an update that is skipped is skipped however the batch is cut, ordered or doubled") {
  for (const auto& [name, way] : ways()) {
    CAPTURE(name);
    const Outcome other = learn(way, [](PpoSpec& spec) {
      spec.critic.coefficient = 1e300;  // the value loss is finite as a double, its gradient infinite as a float
      spec.rl.epochs = 2;
    });
    CHECK(other.series.at("skipped_updates") == std::vector<double>{2});
    CHECK(other.moved.abs().max().item<double>() == 0);
  }
}

TEST_CASE("stages: a constant added to every reward changes nothing where advantages are whitened") {
  for (const CriticTrunk trunk : {CriticTrunk::shared, CriticTrunk::separate}) {
    const Change gradient = [trunk](PpoSpec& spec) {
      show_gradient(spec);
      spec.critic.trunk = trunk;
      spec.critic.coefficient = 0;
    };
    CHECK(relative_gap(learn({.bonus = 3}, gradient), learn({}, gradient)) <= 1e-6);
    const Change decisions = [trunk](PpoSpec& spec) {
      take_decisions(spec);
      spec.critic.trunk = trunk;
      spec.critic.coefficient = 0;
    };
    const Outcome plain = learn({}, decisions), raised = learn({.bonus = 3}, decisions);
    CHECK(raised.series.at("reward").at(0) == plain.series.at("reward").at(0) + 3);
    for (const char* metric : {"clip_ratio/low_mean", "clip_ratio/high_mean", "skipped_updates", "epochs"}) {
      CHECK(raised.series.at(metric) == plain.series.at(metric));
    }
    CHECK(relative_gap(raised, plain) < 1e-4);
  }
  const Change as_they_are = unwhitened([](PpoSpec& spec) {
    show_gradient(spec);
    spec.critic.coefficient = 0;
  });
  CHECK(relative_gap(learn({.bonus = 3}, as_they_are), learn({}, as_they_are)) > 0.1);
}
