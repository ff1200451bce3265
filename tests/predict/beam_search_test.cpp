#include "predict/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "support/committed_golden.h"
#include "support/error_of.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

std::vector<std::int32_t> ids_of(const Json& list) {
  std::vector<std::int32_t> ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

/// The table model of tools/golden/beam_search.py.
class Table {
 public:
  explicit Table(const Json& settings)
      : seed_(static_cast<std::uint32_t>(settings.at("seed").as_integer())),
        vocab_(settings.at("vocab").as_integer()),
        scale_(settings.at("scale").as_number()),
        eos_(ids_of(settings.at("eos"))),
        favour_(settings.at("eos_favour").as_number()) {}
  std::int64_t vocab() const { return vocab_; }

  void append_row(std::int32_t before, std::int32_t last, std::vector<float>& rows) const {
    std::vector<double> logits;
    double sum = 0;
    for (std::int32_t id = 0; id < vocab_; ++id) {
      const bool favoured = std::find(eos_.begin(), eos_.end(), id) != eos_.end();
      logits.push_back(static_cast<float>(logit(before, last, id) + (favoured ? favour_ : 0)));
      sum += std::exp(logits.back());
    }
    for (const double logit : logits) rows.push_back(static_cast<float>(logit - std::log(sum)));
  }

 private:
  double logit(std::int32_t before, std::int32_t last, std::int32_t id) const {
    std::uint32_t h = static_cast<std::uint32_t>(before) * 73856093u ^ static_cast<std::uint32_t>(last) * 19349663u ^
                      static_cast<std::uint32_t>(id) * 83492791u ^ seed_ * 2654435761u;
    for (int round = 0; round < 2; ++round) h = (h ^ h >> 16) * 0x45D9F3Bu;
    return (h >> 8) / 16777216.0 * scale_;
  }
  std::uint32_t seed_;
  std::int64_t vocab_;
  double scale_;
  std::vector<std::int32_t> eos_;
  double favour_;
};

BeamSettings settings_of(const Json& test) {
  const Json& early = test.at("early_stopping");
  return {.num_beams = test.at("num_beams").as_integer(),
          .num_return_sequences = test.at("num_return_sequences").as_integer(),
          .length_penalty = test.at("length_penalty").as_number(),
          .early_stopping = early.is_string() ? EarlyStopping::never
                            : early.as_bool() ? EarlyStopping::yes
                                              : EarlyStopping::no,
          .max_new_tokens = test.at("max_new_tokens").as_integer(),
          .eos = ids_of(test.at("eos"))};
}

std::vector<BeamSearch::Hypothesis> search_table(const Json& test) {
  const Table table(test);
  const std::vector<std::int32_t> prompt = ids_of(test.at("prompt"));
  BeamSearch search(settings_of(test));
  while (!search.done()) {
    std::vector<float> rows;
    for (std::int64_t row = 0; row < search.rows(); ++row) {
      std::vector<std::int32_t> ids = prompt;
      const auto behind = search.ids(static_cast<std::size_t>(row));
      ids.insert(ids.end(), behind.begin(), behind.end());
      table.append_row(ids.size() > 1 ? ids[ids.size() - 2] : 0, ids.back(), rows);
    }
    search.step(rows, table.vocab());
  }
  return search.hypotheses();
}

std::vector<float> log_of(std::initializer_list<double> probabilities) {
  std::vector<float> logs;
  for (const double p : probabilities) logs.push_back(static_cast<float>(std::log(p)));
  return logs;
}

}  // namespace

TEST_CASE("predict: beam search returns what transformers returns") {
  const Json golden = test::committed_golden("beam_search.json");
  std::size_t hypotheses = 0;
  for (const Json& test : golden.at("cases").as_array()) {
    INFO(test.dump());
    const auto found = search_table(test);
    const Json::Array& answers = test.at("answers").as_array();
    REQUIRE(found.size() == answers.size());
    for (std::size_t i = 0; i < found.size(); ++i, ++hypotheses) {
      CHECK(found[i].ids == ids_of(answers[i].at("ids")));
      CHECK(found[i].score == doctest::Approx(answers[i].at("score").as_number()).epsilon(1e-5));
    }
  }
  MESSAGE(golden.at("cases").as_array().size(), " searches, ", hypotheses, " hypotheses");
}

TEST_CASE("predict: a beam names its parent and its token, so that caches can follow") {
  BeamSearch search({.num_beams = 2, .num_return_sequences = 2, .max_new_tokens = 3, .eos = {3}});
  CHECK(search.rows() == 1);
  search.step(log_of({0.5, 0.3, 0.1, 0.1}), 4);
  REQUIRE(search.beams().size() == 2);
  CHECK(search.beams()[0].id == 0);
  CHECK(search.beams()[1].id == 1);
  CHECK(search.beams()[1].parent == 0);
  CHECK(search.rows() == 2);
  std::vector<float> rows = log_of({0.1, 0.2, 0.2, 0.5});
  const std::vector<float> second = log_of({0.1, 0.1, 0.7, 0.1});
  rows.insert(rows.end(), second.begin(), second.end());
  search.step(rows, 4);  // best: [0 3] 0.25 ends, [1 2] 0.21, [0 1] 0.1
  CHECK(search.beams()[0].parent == 1);
  CHECK(search.beams()[0].id == 2);
  CHECK(search.beams()[1].parent == 0);
  CHECK(search.beams()[1].id == 1);
  CHECK(std::vector(search.ids(0).begin(), search.ids(0).end()) == std::vector<std::int32_t>{1, 2});
  CHECK_FALSE(search.done());
  rows.assign(8, std::log(0.25F));
  search.step(rows, 4);
  CHECK(search.done());
  const auto found = search.hypotheses();
  REQUIRE(found.size() == 2);
  CHECK(found[0].ids == std::vector<std::int32_t>{0, 3});
  CHECK(found[0].score == doctest::Approx(std::log(0.25) / 2));
  CHECK(found[1].ids == std::vector<std::int32_t>{1, 2, 0});
}

TEST_CASE("predict: where rules leave fewer continuations than beams, no text is returned twice") {
  BeamSearch search({.num_beams = 3, .num_return_sequences = 3, .max_new_tokens = 20, .eos = {4}});
  search.step(std::vector<float>{kNever, -0.5F, kNever, kNever, kNever}, 5);
  CHECK_FALSE(search.beams()[0].filler());
  CHECK(search.beams()[1].filler());
  std::vector<float> rows;
  for (int beam = 0; beam < 3; ++beam) rows.insert(rows.end(), {kNever, kNever, -0.25F, kNever, -1.5F});
  search.step(rows, 5);
  CHECK_FALSE(search.done());
  rows.clear();
  for (int beam = 0; beam < 3; ++beam) rows.insert(rows.end(), {kNever, kNever, kNever, kNever, 0.0F});
  search.step(rows, 5);
  CHECK(search.done());
  const auto found = search.hypotheses();
  REQUIRE(found.size() == 2);
  CHECK(found[0].ids == std::vector<std::int32_t>{1, 2, 4});
  CHECK(found[1].ids == std::vector<std::int32_t>{1, 4});
}

TEST_CASE("predict: one beam is greedy search") {
  BeamSearch search({.num_beams = 1, .max_new_tokens = 5, .eos = {0}});
  search.step(log_of({0.1, 0.2, 0.7}), 3);
  search.step(log_of({0.1, 0.8, 0.1}), 3);
  search.step(log_of({0.9, 0.05, 0.05}), 3);
  CHECK(search.done());
  CHECK(search.hypotheses()[0].ids == std::vector<std::int32_t>{2, 1, 0});
}

TEST_CASE("predict: contradicting beam settings and bad rows are refused") {
  HONE_CHECK_ERROR(config, BeamSearch({.num_beams = 0}), "num_beams is 0");
  HONE_CHECK_ERROR(config, BeamSearch({.num_beams = 2, .num_return_sequences = 3}), "num_return_sequences is 3",
                   "num_beams = 2");
  HONE_CHECK_ERROR(config, BeamSearch({.max_new_tokens = 0}), "max_new_tokens is 0");
  HONE_CHECK_ERROR(config, BeamSearch({.length_penalty = std::nan("")}), "length_penalty");
  BeamSearch search({.num_beams = 2});
  HONE_CHECK_ERROR(data, search.step(std::vector<float>(6, 0.0F), 3), "got 6", "1 rows of 3");
  HONE_CHECK_ERROR(data, search.step(std::vector<float>{0.0F, std::nanf(""), 0.0F}, 3), "token 1", "not a number");
}

}  // namespace hone
