#include "kernels/logit_rules/logit_rules.h"

#include <cmath>
#include <limits>

#include "support/committed_golden.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

constexpr float kBanned = -std::numeric_limits<float>::infinity();

std::vector<std::int32_t> ids_of(const Json& list) {
  std::vector<std::int32_t> ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

float number(const Json& value) { return static_cast<float>(value.as_number()); }

kernels::LogitRules rules_of(const Json& test) {
  kernels::LogitRules rules;
  rules.repetition_penalty = number(test.at("repetition_penalty"));
  rules.presence_penalty = number(test.at("presence_penalty"));
  rules.frequency_penalty = number(test.at("frequency_penalty"));
  for (const Json& pair : test.at("bias").as_array()) {
    rules.bias.emplace_back(static_cast<std::int32_t>(pair.as_array()[0].as_integer()), number(pair.as_array()[1]));
  }
  rules.no_repeat_ngram_size = static_cast<std::int32_t>(test.at("no_repeat_ngram_size").as_integer());
  for (const Json& word : test.at("bad_words").as_array()) rules.bad_words.push_back(ids_of(word));
  rules.min_new_tokens = static_cast<std::int32_t>(test.at("min_new_tokens").as_integer());
  rules.eos = ids_of(test.at("eos"));
  return rules;
}

std::vector<std::uint64_t> mask_of(const Json& allowed, std::size_t vocabulary) {
  if (allowed.is_null()) return {};
  std::vector<std::uint64_t> words((vocabulary + 63) / 64, 0);
  for (const std::int32_t id : ids_of(allowed))
    words[static_cast<std::size_t>(id) / 64] |= std::uint64_t{1} << (id % 64);
  return words;
}

kernels::TokenHistory history_of(const std::vector<std::int32_t>& prompt, const std::vector<std::int32_t>& generated) {
  kernels::TokenHistory history(prompt);
  for (const std::int32_t id : generated) history.append(id);
  return history;
}

}  // namespace

TEST_CASE("kernels: logit rules give the rows of transformers' logits processors") {
  const Json golden = test::committed_golden("logit_rules.json");
  int changed = 0, banned = 0;
  for (const Json& test : golden.at("cases").as_array()) {
    INFO(test.dump());
    std::vector<float> row;
    for (const Json& value : test.at("logits").as_array()) row.push_back(number(value));
    const std::vector<float> before = row;
    const kernels::TokenHistory history = history_of(ids_of(test.at("prompt")), ids_of(test.at("generated")));
    const auto allowed = mask_of(test.at("allowed"), row.size());
    kernels::apply_logit_rules(rules_of(test), history, allowed, row);
    for (std::size_t id = 0; id < row.size(); ++id) {
      const Json& expected = test.at("expected").as_array()[id];
      CAPTURE(id);
      if (expected.is_null()) {
        CHECK(row[id] == kBanned);
        ++banned;
      } else {
        CHECK(row[id] == doctest::Approx(expected.as_number()).epsilon(1e-6));
        changed += row[id] != before[id];
      }
    }
  }
  MESSAGE(golden.at("cases").as_array().size(), " rows, ", changed, " logits changed, ", banned, " banned");
  CHECK(changed > 100);
}

TEST_CASE("kernels: rules that are off change no bit, and ids outside the row are ignored") {
  const std::vector<float> before{0.5F, -0.0F, -3.0F, 1e-30F};
  std::vector<float> row = before;
  kernels::apply_logit_rules({}, history_of({0, 1, 2}, {3, 3}), {}, row);
  CHECK(row == before);
  CHECK_FALSE(kernels::LogitRules{}.active());
  kernels::LogitRules rules;
  rules.repetition_penalty = 2.0F;
  rules.bias = {{99, 5.0F}, {-1, 5.0F}};
  rules.bad_words = {{7}, {}, {1, 2, 3, 4, 5, 6}};
  rules.eos = {50};
  rules.min_new_tokens = 3;
  CHECK(rules.active());
  kernels::apply_logit_rules(rules, history_of({99, 2}, {}), {}, row);
  CHECK(row == std::vector<float>{0.5F, -0.0F, -6.0F, 1e-30F});
}

TEST_CASE("kernels: bans yield where they would leave none of the allowed tokens") {
  kernels::LogitRules rules;
  rules.eos = {2};
  rules.min_new_tokens = 5;
  rules.bad_words = {{1}};
  const std::vector<std::uint64_t> only_eos{0b100}, eos_or_one{0b110}, zero_or_eos{0b101};
  std::vector<float> row{1.0F, 2.0F, 3.0F};
  kernels::apply_logit_rules(rules, history_of({0}, {}), only_eos, row);
  CHECK(row == std::vector<float>{kBanned, kBanned, 3.0F});
  row = {1.0F, 2.0F, 3.0F};
  kernels::apply_logit_rules(rules, history_of({0}, {}), eos_or_one, row);
  CHECK(row == std::vector<float>{kBanned, 2.0F, 3.0F});
  row = {1.0F, 2.0F, 3.0F};
  kernels::apply_logit_rules(rules, history_of({0}, {}), zero_or_eos, row);
  CHECK(row == std::vector<float>{1.0F, kBanned, kBanned});
  row = {1.0F, 2.0F, 3.0F};
  rules.bad_words = {{0}, {1}};
  kernels::apply_logit_rules(rules, history_of({0}, {}), {}, row);
  CHECK(row == std::vector<float>{1.0F, 2.0F, 3.0F});
}

TEST_CASE("kernels: a mask refuses what lies beyond its end") {
  std::vector<float> row(130, 1.0F);
  const std::vector<std::uint64_t> allowed{std::uint64_t{1} << 63, 1};
  CHECK(kernels::apply_allowed(allowed, row));
  for (std::size_t id = 0; id < row.size(); ++id) CHECK((row[id] == 1.0F) == (id == 63 || id == 64));
  const std::vector<std::uint64_t> none{0};
  CHECK_FALSE(kernels::apply_allowed(none, row));
}

}  // namespace hone
