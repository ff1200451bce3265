#include "kernels/sample/truncation.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/isa.h"
#include "kernels/lm_head/row_cpu.h"
#include "kernels/oracle.h"
#include "kernels/sample/sample_cpu.h"
#include "kernels/sample_oracle.h"
#include "support/golden.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

/// What the rule keeps, renormalised.
std::map<std::int32_t, double> kept_by_truncation(const at::Tensor& logits_V, const SampleRule& rule) {
  const std::int64_t vocabulary = logits_V.size(0);
  const auto blocks = static_cast<std::size_t>((vocabulary + sample_block - 1) / sample_block);
  std::vector<float> peaks(blocks);
  std::vector<float> masses(blocks);
  std::vector<float> terms(static_cast<std::size_t>(vocabulary));
  SampleRow row{logits_V.const_data_ptr<float>(), vocabulary};
  row.inverse_temperature = static_cast<float>(1.0 / static_cast<double>(rule.temperature));
  HONE_SELECT(row_scan)(row.logits, vocabulary, row.inverse_temperature, {peaks.data(), masses.data(), terms.data()});
  row.block_peak = peaks.data();
  row.term = terms.data();
  row.peak = *std::max_element(peaks.begin(), peaks.end());
  for (const float mass : masses) row.total += mass;
  const Rank last = last_kept(row, rule);
  std::map<std::int32_t, double> kept;
  double total = 0;
  for (std::int32_t id = 0; id < vocabulary; ++id) {
    if (ranks_before(last, {row.logits[id], id})) continue;
    kept[id] = terms[static_cast<std::size_t>(id)];
    total += kept[id];
  }
  for (auto& [id, mass] : kept) mass /= total;
  return kept;
}

void check_equal(const std::map<std::int32_t, double>& got, const std::map<std::int32_t, double>& expected) {
  REQUIRE(got.size() == expected.size());
  for (const auto& [id, probability] : expected) {
    REQUIRE(got.count(id) == 1);
    CHECK(got.at(id) == doctest::Approx(probability).epsilon(1e-4));
  }
}

}  // namespace

TEST_CASE("kernels: top-k, top-p and min-p keep what sorting the whole row keeps") {
  const std::vector<std::int32_t> ks{0, 1, 7, 100, 5000};
  const std::vector<float> ps{1.0F, 0.999F, 0.9F, 0.3F, 0.0F};
  const std::vector<float> mins{0.0F, 0.001F, 0.3F};
  std::uint64_t seed = 1;
  for (const std::int64_t vocabulary : {1, 5, 64, 130, 3001, 20011}) {
    for (const double spread : {0.01, 1.0, 6.0}) {
      const at::Tensor logits = random_tensor({vocabulary}, seed++, spread);
      for (const std::int32_t k : ks) {
        for (const float p : ps) {
          for (const float least : mins) {
            const SampleRule rule{0.8F, k, p, least};
            if (!rule.truncates()) continue;
            CAPTURE(vocabulary);
            CAPTURE(spread);
            CAPTURE(k);
            CAPTURE(p);
            CAPTURE(least);
            check_equal(kept_by_truncation(logits, rule), kept_by_sorting(logits, rule));
          }
        }
      }
    }
  }
}

TEST_CASE("kernels: among equal logits truncation keeps the lowest ids") {
  const at::Tensor logits = (random_tensor({500}, 9) * 1.5).round();  // few distinct values
  for (const SampleRule& rule : {SampleRule{1.0F, 37, 1.0F, 0.0F}, SampleRule{1.0F, 0, 0.61F, 0.0F},
                                 SampleRule{1.0F, 200, 0.73F, 0.0F}, SampleRule{1.0F, 0, 1.0F, 2.0F}}) {
    check_equal(kept_by_truncation(logits, rule), kept_by_sorting(logits, rule));
  }
  const auto kept = kept_by_truncation(at::zeros({300}), {1.0F, 10, 1.0F, 0.0F});
  CHECK(kept.begin()->first == 0);
  CHECK(kept.rbegin()->first == 9);
}

TEST_CASE("kernels: sampling reaches exactly the tokens kept, with their log-probabilities") {
  const at::Tensor logits = random_tensor({300}, 10, 2.0);
  for (const SampleRule& rule : {SampleRule{1.0F, 6, 1.0F, 0.0F}, SampleRule{1.0F, 0, 0.7F, 0.0F},
                                 SampleRule{0.5F, 0, 1.0F, 0.1F}, SampleRule{2.0F, 30, 0.5F, 0.2F}}) {
    check_equal(kept_by_sampling(logits, rule, 20000), kept_by_sorting(logits, rule));
  }
}

namespace {

/// Cases of the form: probabilities, a rule, the multiset of probabilities that remain.
void check_golden(const hone::Json& golden) {
  const std::string id = golden.at("id").as_string();
  CAPTURE(id);
  std::vector<float> logits;
  for (const hone::Json& p : golden.at("inputs").at("probs").as_array()) {
    logits.push_back(static_cast<float>(std::log(p.as_number())));
  }
  SampleRule rule;
  const hone::Json& params = golden.at("params");
  if (const auto* value = params.find("temperature")) rule.temperature = static_cast<float>(value->as_number());
  if (const auto* value = params.find("top_k")) rule.top_k = static_cast<std::int32_t>(value->as_integer());
  if (const auto* value = params.find("top_p")) rule.top_p = static_cast<float>(value->as_number());
  if (const auto* value = params.find("min_p")) rule.min_p = static_cast<float>(value->as_number());
  std::vector<double> got;
  for (const auto& [token, probability] : kept_by_sampling(at::tensor(logits), rule, 1000)) got.push_back(probability);
  std::vector<double> expected;
  for (const hone::Json& p : golden.at("expected").as_array()) {
    if (p.as_number() > 0) expected.push_back(p.as_number());
  }
  std::sort(got.begin(), got.end());
  std::sort(expected.begin(), expected.end());
  REQUIRE(got.size() == expected.size());
  const double tolerance = golden.at("tol").as_number();
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(std::abs(got[i] - expected[i]) <= tolerance);
}

}  // namespace

TEST_CASE("kernels: truncation gives the published distributions") {
  HONE_NEEDS_TEST_DATA(folder);
  check_golden(golden_case(folder, "sampling.json", "lcpp_temp1"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_temp0"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_topk1"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_topk3"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_topk4"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_topk0_off"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_topp0"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_topp.7"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_topp.8"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_topp1"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_minp0"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_minp.24"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_minp.26"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_minp.49"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_minp.51"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_minp.74"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_minp.76"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_minp1"));
  check_golden(golden_case(folder, "sampling.json", "lcpp_minp1.05"));
}

TEST_CASE("kernels: top-k and top-p keep the published sets of tokens") {
  HONE_NEEDS_TEST_DATA(folder);
  const hone::Json top_p = golden_case(folder, "sampling.json", "hf_top_p");
  const float p = static_cast<float>(top_p.at("inputs").at("top_p").as_number());
  for (std::size_t row = 0; row < 2; ++row) {
    std::vector<float> logits;
    for (const hone::Json& value : top_p.at("inputs").at("probs").as_array()[row].as_array()) {
      logits.push_back(static_cast<float>(std::log(value.as_number())));
    }
    const auto kept = kept_by_sampling(at::tensor(logits), {1.0F, 0, p, 0.0F}, 1000);
    const auto& expected = top_p.at("expected").as_array()[row].as_array();
    for (std::size_t id = 0; id < expected.size(); ++id) {
      CHECK(kept.count(static_cast<std::int32_t>(id)) == (expected[id].as_number() > 0 ? 1 : 0));
    }
  }
  const hone::Json top_k = golden_case(folder, "sampling.json", "hf_top_k");
  const auto k = static_cast<std::int32_t>(top_k.at("inputs").at("top_k").as_integer());
  for (std::size_t row = 0; row < 2; ++row) {
    std::vector<float> logits;
    for (const hone::Json& value : top_k.at("inputs").at("logits").as_array()[row].as_array()) {
      logits.push_back(static_cast<float>(value.as_number()));
    }
    const auto kept = kept_by_sampling(at::tensor(logits), {1.0F, k, 1.0F, 0.0F}, 20000);
    const auto& filtered = top_k.at("expected").at("filtered").as_array()[row].as_array();
    for (std::size_t id = 0; id < filtered.size(); ++id) {
      CHECK(kept.count(static_cast<std::int32_t>(id)) == (filtered[id].as_integer() == 0 ? 1 : 0));
    }
  }
}
