#include "data/labels.h"

#include <doctest/doctest.h>

#include "support/error_of.h"

namespace hone {

using Names = std::vector<std::string>;

TEST_CASE("data: classes are sorted and counted, in whatever order the rows come") {
  const LabelSet set = LabelSet::of(Names{"spam", "ham", "ham"});
  CHECK(set.names() == Names{"ham", "spam"});
  CHECK(set.counts() == std::vector<std::int64_t>{2, 1});
  CHECK(set.id("spam", "x") == 1);
  CHECK(set.name(0) == "ham");
  CHECK(set.find("egg") == -1);
}

TEST_CASE("data: classes that are all whole numbers are sorted as numbers") {
  CHECK(LabelSet::of(Names{"10", "9", "-1"}).names() == Names{"-1", "9", "10"});
  CHECK(LabelSet::of(Names{"10", "9", "x"}).names() == Names{"10", "9", "x"});
}

TEST_CASE("data: classes read back from their JSON") {
  const LabelSet set = LabelSet::of(Names{"b", "a", "b"});
  const LabelSet back = LabelSet::from_json(Json::parse(set.to_json().dump(), "labels"), "labels.json");
  CHECK(back.names() == set.names());
  CHECK(back.counts() == set.counts());
  CHECK(back.id("b", "x") == 1);
}

TEST_CASE("data: an unknown class names the row and the nearest, broken JSON the file") {
  const LabelSet set = LabelSet::of(Names{"card_arrival", "cash"});
  HONE_CHECK_ERROR(data, set.id("card_arival", "a.csv:7"), "a.csv:7", "card_arival", "did you mean 'card_arrival'");
  HONE_CHECK_ERROR(data, LabelSet::from_json(Json::object(), "m/labels.json"), "m/labels.json", "names");
  const Json twice = Json::parse(R"({"names": ["a", "a"], "counts": [1, 2]})", "x");
  HONE_CHECK_ERROR(data, LabelSet::from_json(twice, "m/labels.json"), "same name");
}

}  // namespace hone
