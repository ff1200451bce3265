#include "kernels/sample/sample.h"

#include <cmath>
#include <map>
#include <vector>

#include "kernels/isa.h"
#include "kernels/lm_head/row_cpu.h"
#include "kernels/oracle.h"
#include "kernels/sample/sample_cpu.h"
#include "kernels/sample_oracle.h"
#include "support/error_of.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

}  // namespace

TEST_CASE("kernels: sampling frequencies match the kept probabilities") {
  const at::Tensor logits = random_tensor({1, 40}, 1, 1.5);
  const std::vector<SampleRule> rules{{1.0F, 0, 1.0F, 0.0F}, {0.7F, 0, 1.0F, 0.0F},  {1.0F, 5, 1.0F, 0.0F},
                                      {1.3F, 0, 0.8F, 0.0F}, {1.0F, 0, 1.0F, 0.15F}, {0.9F, 20, 0.9F, 0.05F}};
  for (const SampleRule& rule : rules) {
    CAPTURE(rule.temperature);
    CAPTURE(rule.top_k);
    CAPTURE(rule.top_p);
    CAPTURE(rule.min_p);
    const std::map<std::int32_t, double> expected = kept_by_sorting(logits[0], rule);
    const std::int64_t draws = 20000;
    hone::Random random(hone::stream_key(2, "draws"));
    std::vector<double> uniform(draws);
    for (double& u : uniform) u = random.uniform();
    std::map<std::int32_t, std::int64_t> seen;
    for (const Sampled& drawn : sample_many(logits[0], rule, uniform)) ++seen[drawn.id];
    double chi_square = 0;
    for (const auto& [id, probability] : expected) {
      const double mean = probability * static_cast<double>(draws);
      chi_square += (static_cast<double>(seen[id]) - mean) * (static_cast<double>(seen[id]) - mean) / mean;
      CHECK((mean < 20 || seen[id] > 0));
    }
    for (const auto& [id, count] : seen) CHECK((count == 0 || expected.count(id) == 1));
    // Mean and deviation of chi-square with n - 1 degrees of freedom are n - 1 and sqrt(2 (n - 1)).
    const double freedom = static_cast<double>(expected.size()) - 1;
    CHECK(chi_square < freedom + 5 * std::sqrt(2 * freedom) + 1);
  }
}

TEST_CASE("kernels: an id is the inverse transform of the uniform over ascending ids") {
  for (const std::int64_t vocabulary : {1, 3, 63, 64, 65, 200, 1000}) {
    const at::Tensor logits = random_tensor({1, vocabulary}, 3);
    const at::Tensor cumulative = logits[0].to(at::kDouble).softmax(0).cumsum(0);
    const SampleRule rule;
    std::vector<double> uniform;
    for (int i = 0; i < 200; ++i) uniform.push_back(i / 200.0);
    uniform.push_back(std::nextafter(1.0, 0.0));
    const std::vector<Sampled> drawn = sample_many(logits[0], rule, uniform);
    for (std::size_t i = 0; i < uniform.size(); ++i) {
      const std::int64_t id = drawn[i].id;
      CHECK(cumulative[id].item<double>() > uniform[i] - 1e-5);
      CHECK((id == 0 || cumulative[id - 1].item<double>() < uniform[i] + 1e-5));
    }
  }
}

TEST_CASE("kernels: a token of probability 0 is never drawn, also at the ends of [0, 1)") {
  at::Tensor logits = at::full({1, 100}, -INFINITY);
  logits[0][37] = 1.0F;
  logits[0][70] = 1.0F;
  for (const SampleRule& rule : {SampleRule{}, SampleRule{1.0F, 50, 1.0F, 0.0F}, SampleRule{1.0F, 0, 0.99F, 0.0F}}) {
    const std::vector<Sampled> drawn = sample_many(logits[0], rule, {0.0, 0.49, 0.51, std::nextafter(1.0, 0.0)});
    CHECK(drawn[0].id == 37);
    CHECK(drawn[1].id == 37);
    CHECK(drawn[2].id == 70);
    CHECK(drawn[3].id == 70);
  }
}

TEST_CASE("kernels: greedy takes the lowest id among equals") {
  at::Tensor logits = random_tensor({4, 300}, 4);
  logits[0][299] = 50.0F;
  logits[1][17] = 50.0F;
  logits[1][18] = 50.0F;
  logits[1][299] = 50.0F;
  logits[2].fill_(-3.0F);
  logits[3].neg_().sub_(1000.0F);
  std::vector<SampleRule> rules(4, SampleRule{0.0F, 5, 0.5F, 0.5F});
  const std::vector<double> uniform(4, 0.99);
  std::vector<Sampled> out(4);
  sample(logits, rules, uniform, out);
  CHECK(out[0].id == 299);
  CHECK(out[1].id == 17);
  CHECK(out[2].id == 0);
  CHECK(out[3].id == logits[3].argmax().item<std::int64_t>());
  for (std::int64_t b = 0; b < 4; ++b) {
    const auto& drawn = out[static_cast<std::size_t>(b)];
    const double expected = logits[b].to(at::kDouble).log_softmax(0)[drawn.id].item<double>();
    CHECK(drawn.logprob == doctest::Approx(expected).epsilon(1e-5));
    CHECK(drawn.sampler_logprob == 0.0F);
  }
}

TEST_CASE("kernels: the log-probability is that of the head's row functions, to the bit") {
  const at::Tensor logits = random_tensor({8, 1003}, 5, 3.0);
  std::vector<SampleRule> rules(8);
  std::vector<double> uniform(8);
  for (std::size_t b = 0; b < 8; ++b) {
    rules[b].temperature = 0.5F + 0.2F * static_cast<float>(b);
    if (b % 2 == 1) rules[b].top_k = 10;
    uniform[b] = static_cast<double>(b) / 8;
  }
  std::vector<Sampled> out(8);
  sample(logits, rules, uniform, out);
  for (std::size_t b = 0; b < 8; ++b) {
    const float* row = logits.const_data_ptr<float>() + b * 1003;
    const float inverse = static_cast<float>(1.0 / static_cast<double>(rules[b].temperature));
    const float lse = HONE_SELECT(row_log_sum_exp)(row, 1003, inverse);
    CHECK(out[b].logprob == HONE_SELECT(row_logprob)(row, out[b].id, inverse, lse));
    const auto kept = kept_by_sorting(logits[static_cast<std::int64_t>(b)], rules[b]);
    CHECK(std::exp(out[b].sampler_logprob) == doctest::Approx(kept.at(out[b].id)).epsilon(1e-4));
    if (b % 2 == 0) CHECK(out[b].sampler_logprob == out[b].logprob);
  }
}

TEST_CASE("kernels: a row is sampled the same alone and among others, with one thread and with two") {
  const at::Tensor logits = random_tensor({33, 517}, 6);
  std::vector<SampleRule> rules;
  std::vector<double> uniform;
  for (int b = 0; b < 33; ++b) {
    rules.push_back(
        {0.1F * static_cast<float>(b % 12), b % 5 * 20, b % 3 == 0 ? 0.9F : 1.0F, b % 4 == 0 ? 0.02F : 0.0F});
    uniform.push_back(b / 33.0);
  }
  const auto compute = [&] {
    std::vector<Sampled> out(33);
    sample(logits, rules, uniform, out);
    return out;
  };
  const auto one = with_threads(1, compute);
  const auto two = with_threads(2, compute);
  for (std::size_t b = 0; b < 33; ++b) {
    const Sampled alone = sample_many(logits[static_cast<std::int64_t>(b)], rules[b], {uniform[b]})[0];
    for (const Sampled& other : {two[b], alone}) {
      CHECK(one[b].id == other.id);
      CHECK(one[b].logprob == other.logprob);
      CHECK(one[b].sampler_logprob == other.sampler_logprob);
    }
  }
}

TEST_CASE("kernels: sampling names the row whose logits are not numbers") {
  std::vector<Sampled> out(5);
  const std::vector<double> uniform(5, 0.5);
  for (const float temperature : {0.0F, 1.0F}) {
    const std::vector<SampleRule> rules(5, SampleRule{temperature});
    for (const float bad : {NAN, INFINITY}) {
      at::Tensor logits = random_tensor({5, 70}, 7);
      logits[2][68] = bad;
      logits[4][0] = bad;
      HONE_CHECK_ERROR(data, sample(logits, rules, uniform, out), "row 2 of 5");
    }
    at::Tensor logits = random_tensor({5, 70}, 8);
    logits[1].fill_(-INFINITY);
    HONE_CHECK_ERROR(data, sample(logits, rules, uniform, out), "row 1 of 5");
  }
}

TEST_CASE("kernels: every variant of the sampler's kernels is stable and close to the others") {
  const std::int64_t count = 331;
  const at::Tensor logits = random_tensor({count}, 9);
  const float* row = logits.const_data_ptr<float>();
  const at::Tensor mass = (logits.to(at::kDouble) * 0.5 - 2.0).exp();
  for (const auto& kernel : HONE_VARIANTS(sample_masses)) {
    at::Tensor first = at::empty({count});
    at::Tensor second = at::empty({count});
    kernel(row, count, 0.5F, 2.0F, first.data_ptr<float>());
    kernel(row, count, 0.5F, 2.0F, second.data_ptr<float>());
    CHECK(same_bits(first, second));
    CHECK(relative_error(first, mass) < 1e-6);
  }
  const at::Tensor expected = (logits >= 0.3F).logical_and(logits < 1.0F).nonzero().squeeze(1).to(at::kInt);
  for (const auto& kernel : HONE_VARIANTS(sample_filter)) {
    at::Tensor id = at::empty({count + sample_slack}, at::kInt);
    at::Tensor logit = at::empty({count + sample_slack});
    at::Tensor kept = at::empty({count + sample_slack});
    const at::Tensor masses = mass.to(at::kFloat);
    const SampleList whole{row, masses.const_data_ptr<float>(), nullptr, nullptr, count};
    const std::int64_t found =
        kernel(whole, 0.3F, 1.0F, id.data_ptr<std::int32_t>(), logit.data_ptr<float>(), kept.data_ptr<float>());
    CHECK(same_bits(id.slice(0, 0, found), expected));
    CHECK(same_bits(logit.slice(0, 0, found), logits.index_select(0, expected)));
    CHECK(same_bits(kept.slice(0, 0, found), masses.index_select(0, expected)));
  }
}

TEST_CASE("kernels: in every variant a scan has the log-sum-exp's bits, and its trace is that of the row") {
  for (const std::int64_t count : {1, 15, 64, 331, 5000}) {
    const at::Tensor logits = random_tensor({count}, 10, 3.0);
    const float* row = logits.const_data_ptr<float>();
    const std::int64_t blocks = (count + sample_block - 1) / sample_block;
    const at::Tensor expected = ((logits.to(at::kDouble) - logits.max()) * 0.7).exp();
    const auto sums = HONE_VARIANTS(row_log_sum_exp);
    const auto scans = HONE_VARIANTS(row_scan);
    const auto above = HONE_VARIANTS(sample_masses_above);
    const auto kept = HONE_VARIANTS(sample_kept_masses);
    for (std::size_t v = 0; v < scans.size(); ++v) {
      at::Tensor peak = at::empty({blocks});
      at::Tensor mass = at::empty({blocks});
      at::Tensor term = at::empty({count});
      const RowTrace trace{peak.data_ptr<float>(), mass.data_ptr<float>(), term.data_ptr<float>()};
      const float once = scans[v](row, count, 0.7F, trace);
      CHECK(once == sums[v](row, count, 0.7F));
      CHECK(once == scans[v](row, count, 0.7F, {trace.peak, trace.mass, nullptr}));
      CHECK(relative_error(term, expected) < 1e-6);
      for (std::int64_t b = 0; b < blocks; ++b) {
        CHECK(peak[b].item<float>() == logits.slice(0, b * 64, (b + 1) * 64).max().item<float>());
        CHECK(mass[b].item<float>() == doctest::Approx(expected.slice(0, b * 64, (b + 1) * 64).sum().item<double>()));
      }
      const std::vector<float> threshold{-4, -3, -2, -1, 0, 1, 2, 3};
      double sum[sample_thresholds];
      above[v]({row, trace.term, nullptr, trace.peak, count}, threshold.data(), sum);
      for (std::size_t k = 0; k < threshold.size(); ++k) {
        const double wanted = (expected * (logits >= threshold[k])).sum().item<double>();
        CHECK(sum[k] == doctest::Approx(wanted).epsilon(1e-6));
      }
      const float last = logits[count / 2].item<float>();
      const auto last_id = static_cast<std::int32_t>(count / 2);
      for (const float* terms : {static_cast<const float*>(trace.term), static_cast<const float*>(nullptr)}) {
        const SampleCut cut{row, count, 0.7F, logits.max().item<float>() * 0.7F, trace.peak, terms, last, last_id};
        kept[v](cut, mass.data_ptr<float>());
        const double wanted = (expected * (logits >= last)).sum().item<double>();
        CHECK(mass.sum().item<double>() == doctest::Approx(wanted).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("kernels: sampling no rows does nothing") {
  std::vector<Sampled> out;
  sample(at::empty({0, 10}), {}, {}, out);
  CHECK(out.empty());
}
