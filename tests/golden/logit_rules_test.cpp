#include "kernels/logit_rules/logit_rules.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/golden.h"

namespace hone {

using test::golden_case;

namespace {

constexpr float banned = -std::numeric_limits<float>::infinity();

std::vector<std::int32_t> ids_of(const Json& list) {
  std::vector<std::int32_t> ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

/// llama.cpp's cases: probabilities, what was generated, and the probabilities after penalties.
void check_penalty(const Json& item) {
  INFO(item.at("id").as_string());
  kernels::LogitRules rules;
  rules.repetition_penalty = static_cast<float>(item.at("params").at("repeat").as_number());
  rules.frequency_penalty = static_cast<float>(item.at("params").at("frequency").as_number());
  rules.presence_penalty = static_cast<float>(item.at("params").at("presence").as_number());
  kernels::TokenHistory history({});
  for (const std::int32_t id : ids_of(item.at("inputs").at("last_tokens"))) history.append(id);
  std::vector<float> row;
  for (const Json& p : item.at("inputs").at("probs").as_array()) row.push_back(std::log(static_cast<float>(p.as_number())));
  kernels::apply_logit_rules(rules, history, {}, row);
  double sum = 0;
  for (const float logit : row) sum += std::exp(logit);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const double wanted = item.at("expected").as_array()[i].as_number();
    CHECK(std::abs(std::exp(row[i]) / sum - wanted) <= item.at("tol").as_number());
  }
}

/// Rows of equal logits after the rules, one for each of the case's histories: 1 where a token is banned.
std::vector<std::vector<int>> bans(const kernels::LogitRules& rules, const Json& histories, std::size_t vocabulary) {
  std::vector<std::vector<int>> all;
  for (const Json& ids : histories.as_array()) {
    const std::vector<std::int32_t> prompt = ids_of(ids);
    std::vector<float> row(vocabulary, 0.0F);
    kernels::apply_logit_rules(rules, kernels::TokenHistory(prompt), {}, row);
    std::vector<int>& found = all.emplace_back();
    for (const float logit : row) found.push_back(logit == banned ? 1 : 0);
  }
  return all;
}

std::vector<std::vector<int>> expected_bans(const Json& rows) {
  std::vector<std::vector<int>> all;
  for (const Json& row : rows.as_array()) {
    std::vector<int>& one = all.emplace_back();
    for (const Json& value : row.as_array()) one.push_back(static_cast<int>(value.as_integer()));
  }
  return all;
}

}  // namespace

TEST_CASE("golden: penalties give llama.cpp's probabilities") {
  HONE_NEEDS_TEST_DATA(folder);
  check_penalty(golden_case(folder, "sampling.json", "lcpp_penalty_rep_a"));
  check_penalty(golden_case(folder, "sampling.json", "lcpp_penalty_rep_b"));
  check_penalty(golden_case(folder, "sampling.json", "lcpp_penalty_rep_c"));
  check_penalty(golden_case(folder, "sampling.json", "lcpp_penalty_freq_a"));
  check_penalty(golden_case(folder, "sampling.json", "lcpp_penalty_freq_b"));
  check_penalty(golden_case(folder, "sampling.json", "lcpp_penalty_freq_c"));
}

TEST_CASE("golden: the repetition penalty divides positive logits and multiplies the others") {
  HONE_NEEDS_TEST_DATA(folder);
  const Json item = golden_case(folder, "sampling.json", "hf_repetition");
  kernels::LogitRules rules;
  rules.repetition_penalty = static_cast<float>(item.at("inputs").at("penalty").as_number());
  std::vector<std::vector<float>> rows(2, std::vector<float>(6, 0.1F));  // as the case says in words
  rows[0][0] = -0.1F;
  rows[1][5] = 0.4F;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::vector<std::int32_t> ids = ids_of(item.at("inputs").at("input_ids").as_array()[i]);
    kernels::apply_logit_rules(rules, kernels::TokenHistory(ids), {}, rows[i]);
  }
  for (const auto& [place, value] : item.at("expected").as_object()) {  // "[row][id]"
    const float found = rows[static_cast<std::size_t>(place[1] - '0')][static_cast<std::size_t>(place[4] - '0')];
    CHECK(std::abs(found - value.as_number()) <= item.at("tol").as_number());
  }
}

TEST_CASE("golden: repeated n-grams, bad words and an early end are banned") {
  HONE_NEEDS_TEST_DATA(folder);
  const Json ngrams = golden_case(folder, "sampling.json", "hf_no_repeat_ngram");
  const auto vocabulary = static_cast<std::size_t>(ngrams.at("inputs").at("vocab").as_integer());
  for (const std::int32_t n : {2, 3}) {
    kernels::LogitRules rules;
    rules.no_repeat_ngram_size = n;
    CHECK(bans(rules, ngrams.at("inputs").at("input_ids"), vocabulary) ==
          expected_bans(ngrams.at("expected").at("ngram" + std::to_string(n) + "_forbidden")));
  }

  const Json words = golden_case(folder, "sampling.json", "hf_bad_words");
  kernels::LogitRules rules;
  for (const Json& word : words.at("inputs").at("bad_words").as_array()) rules.bad_words.push_back(ids_of(word));
  rules.eos = {static_cast<std::int32_t>(words.at("inputs").at("eos").as_integer())};
  CHECK(bans(rules, words.at("inputs").at("input_ids"), static_cast<std::size_t>(words.at("inputs").at("vocab").as_integer())) ==
        expected_bans(words.at("expected").at("forbidden")));
}

TEST_CASE("golden: no end of sequence before the least length") {
  HONE_NEEDS_TEST_DATA(folder);
  const Json item = golden_case(folder, "sampling.json", "hf_min_length");
  const auto eos = static_cast<std::int32_t>(item.at("inputs").at("eos").as_integer());
  kernels::LogitRules rules;
  rules.eos = {eos};
  rules.min_new_tokens = static_cast<std::int32_t>(item.at("inputs").at("min_length").as_integer());
  for (std::size_t i = 0; i < 2; ++i) {
    kernels::TokenHistory history({});
    for (std::int64_t t = item.at("inputs").at("cur_len").as_array()[i].as_integer(); t > 0; --t) history.append(1);
    std::vector<float> row(20, 0.0F);
    kernels::apply_logit_rules(rules, history, {}, row);
    const bool forbidden = item.at("expected").at("eos_forbidden").as_array()[i].as_integer() == 1;
    CHECK((row[static_cast<std::size_t>(eos)] == banned) == forbidden);
  }
}

}  // namespace hone
