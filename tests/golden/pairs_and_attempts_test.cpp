#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "data/packing.h"
#include "metrics/attempts.h"
#include "support/golden.h"

namespace hone {

using test::golden_case;

namespace {

std::vector<std::int32_t> ids_of(const Json& list) {
  std::vector<std::int32_t> ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

/// Chosen and rejected of each example, in turn.
std::vector<TokenExample> pairs_of(const Json& examples) {
  std::vector<TokenExample> rows;
  for (const Json& pair : examples.as_array()) {
    for (const char* side : {"chosen_ids", "rejected_ids"}) {
      TokenExample row{.ids = ids_of(pair.at("prompt_ids"))};
      row.context_tokens = static_cast<std::int64_t>(row.ids.size());
      for (const std::int32_t id : ids_of(pair.at(side))) row.ids.push_back(id);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

/// The published layout has all chosen rows, then all rejected ones, filled up with padding.
void check_pairs(const Json& item, const Json& padded_ids, const Json* completion_mask) {
  const std::vector<TokenExample> examples = pairs_of(item.at("inputs").at("examples"));
  std::vector<std::uint64_t> pairs(examples.size() / 2);
  std::iota(pairs.begin(), pairs.end(), 0);
  const PackedRows packed = pack_pairs(examples, pairs);
  REQUIRE(packed.sequences() == static_cast<std::int64_t>(examples.size()));
  for (std::size_t s = 0; s < examples.size(); ++s) {
    const std::size_t row = s / 2 + (s % 2) * pairs.size();
    const auto begin = static_cast<std::size_t>(packed.start_S1[s]), end = static_cast<std::size_t>(packed.start_S1[s + 1]);
    const std::vector<std::int32_t> padded = ids_of(padded_ids.as_array()[row]);
    REQUIRE(end - begin <= padded.size());
    CHECK(std::vector(packed.ids_T.begin() + packed.start_S1[s], packed.ids_T.begin() + packed.start_S1[s + 1]) ==
          std::vector(padded.begin(), padded.begin() + static_cast<std::ptrdiff_t>(end - begin)));
    CHECK(packed.pair_S[s] == static_cast<std::int64_t>(s % 2 == 0 ? s + 1 : s - 1));
    if (completion_mask == nullptr) continue;
    const std::vector<std::int32_t> learned = ids_of(completion_mask->as_array()[row]);
    for (std::size_t t = begin; t + 1 < end; ++t) {  // row t predicts token t + 1
      CHECK(packed.mask_T[t] == static_cast<float>(learned[t + 1 - begin]));
    }
  }
}

}  // namespace

TEST_CASE("golden: pairs are packed with the tokens and masks that TRL pads") {
  HONE_NEEDS_TEST_DATA(folder);
  const Json plain = golden_case(folder, "utils.json", "trl_preference_collator");
  check_pairs(plain, plain.at("expected").at("input_ids"), &plain.at("expected").at("completion_mask"));
  const Json multiple = golden_case(folder, "utils.json", "trl_preference_collator_pad5");
  check_pairs(multiple, multiple.at("expected"), nullptr);
}

TEST_CASE("golden: the example of HumanEval's page has the pass@1 that it says") {
  HONE_NEEDS_TEST_DATA(folder);
  const Json item = golden_case(folder, "rewards.json", "humaneval_passk");
  const auto& counts = item.at("inputs").at("n_correct_of_n").as_array();
  const double found = pass_at_k(counts[1].as_integer(), counts[0].as_integer(), item.at("inputs").at("k").as_integer());
  CHECK(std::abs(found - item.at("expected").as_number()) <= item.at("tol").as_number());
}

}  // namespace hone
