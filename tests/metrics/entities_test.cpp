#include "metrics/entities.h"

#include <doctest/doctest.h>

#include "tests/support/committed_golden.h"

namespace hone {

namespace {

using Tags = std::vector<std::string>;

std::vector<Tags> sentences(const Json& list) {
  std::vector<Tags> rows;
  for (const Json& row : list.as_array()) {
    rows.emplace_back();
    for (const Json& tag : row.as_array()) rows.back().push_back(tag.as_string());
  }
  return rows;
}

}  // namespace

TEST_CASE("metrics: entities and their scores are seqeval's, whatever the tags") {
  const Json cases = test::committed_golden("entities.json");
  for (const Json& golden : cases.as_array()) {
    const std::vector<Tags> labels = sentences(golden.at("labels")), predictions = sentences(golden.at("predictions"));
    for (std::size_t i = 0; i < labels.size(); ++i) {
      std::vector<TaggedEntity> expected;
      for (const Json& entity : golden.at("entities").as_array()[i].as_array()) {
        const Json::Array& parts = entity.as_array();
        expected.push_back({parts[0].as_string(), static_cast<std::size_t>(parts[1].as_integer()),
                            static_cast<std::size_t>(parts[2].as_integer())});
      }
      CHECK(tagged_entities(labels[i]) == expected);
    }
    const EntityScores scores = entity_scores(labels, predictions);
    CHECK(scores.all.precision == doctest::Approx(golden.at("precision").as_number()));
    CHECK(scores.all.recall == doctest::Approx(golden.at("recall").as_number()));
    CHECK(scores.all.f1 == doctest::Approx(golden.at("f1").as_number()));
    for (const auto& [type, f1] : golden.at("f1_by_type").as_object()) {
      CHECK(scores.by_type.at(type).f1 == doctest::Approx(f1.as_number()));
    }
  }
}

TEST_CASE("metrics: what is an entity tag") {
  CHECK(are_entity_tags(Tags{"O", "B-PER", "I-LOC", "E-X", "S-X"}));
  CHECK(!are_entity_tags(Tags{"O", "NOUN"}));
  CHECK(!are_entity_tags(Tags{"B-"}));
  CHECK(tagged_entities(Tags{}).empty());
  const EntityScores none = entity_scores(std::vector<Tags>{{"O"}}, std::vector<Tags>{{"O"}});
  CHECK(none.all.f1 == 0);
  CHECK(none.by_type.empty());
}

}  // namespace hone
