#include "data/order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "support/error_of.h"

namespace hone {

using Rows = std::vector<std::uint64_t>;

TEST_CASE("data: every epoch visits every row once, in an order of its own") {
  RowOrder order(7, "data", 100);
  Rows identity(100);
  std::iota(identity.begin(), identity.end(), 0);
  Rows first = order.next(100), second = order.next(100);
  CHECK(order.epoch() == 2);
  CHECK(order.position() == 0);
  CHECK(first != second);
  CHECK(first != identity);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  CHECK(first == identity);
  CHECK(second == identity);
}

TEST_CASE("data: an order depends on seed and purpose alone") {
  CHECK(RowOrder(7, "data", 50).next(120) == RowOrder(7, "data", 50).next(120));
  CHECK(RowOrder(7, "data", 50).next(50) != RowOrder(8, "data", 50).next(50));
  CHECK(RowOrder(7, "data", 50).next(50) != RowOrder(7, "other", 50).next(50));
  RowOrder whole(7, "data", 50), pieces(7, "data", 50);
  Rows joined;
  for (const std::uint64_t n : {1, 0, 48, 3, 70}) {
    const Rows piece = pieces.next(n);
    joined.insert(joined.end(), piece.begin(), piece.end());
  }
  CHECK(joined == whole.next(122));
}

TEST_CASE("data: without shuffling rows come in order and wrap around") {
  RowOrder order(7, "data", 3, false);
  CHECK(order.next(5) == Rows{0, 1, 2, 0, 1});
  CHECK(order.epochs() == doctest::Approx(5.0 / 3));
}

TEST_CASE("data: a restored cursor continues exactly, wherever it stood") {
  for (const std::uint64_t taken : {0, 1, 36, 37, 38, 100}) {
    RowOrder order(7, "data", 37);
    order.next(taken);
    const std::string saved = order.state().dump();
    RowOrder resumed(7, "data", 37);
    resumed.next(5);
    resumed.restore(Json::parse(saved, "state"));
    CHECK(resumed.epoch() == taken / 37);
    CHECK(resumed.next(90) == order.next(90));
  }
}

TEST_CASE("data: a cursor of other data, another seed or a broken one is refused") {
  RowOrder order(7, "data", 37);
  HONE_CHECK_ERROR(data, RowOrder(7, "data", 38).restore(order.state()), "37 rows", "38");
  HONE_CHECK_ERROR(data, RowOrder(8, "data", 37).restore(order.state()), "seed");
  HONE_CHECK_ERROR(data, RowOrder(7, "data", 37, false).restore(order.state()), "shuffle");
  Json state = order.state();
  state.set("position", 37);
  HONE_CHECK_ERROR(data, order.restore(state), "broken", "37");
  HONE_CHECK_ERROR(data, order.restore(Json::object()), "rows");
}

}  // namespace hone
