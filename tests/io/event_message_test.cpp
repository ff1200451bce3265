#include "io/event_message.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace hone {

namespace {

using namespace std::string_literals;

constexpr float infinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("io: events are protobuf to the byte") {
  CHECK(version_event(1.0) == "\x09\x00\x00\x00\x00\x00\x00\xF0\x3F\x10\x00\x1A\x0D"s + "brain.Event:2");
  CHECK(session_start_event(1.0, 300) == "\x09\x00\x00\x00\x00\x00\x00\xF0\x3F\x10\xAC\x02\x3A\x02\x08\x01"s);
  EventSummary summary;
  CHECK(summary.empty());
  summary.scalar("kl", 0.5);
  CHECK(summary.bytes() == "\x0A\x09\x0A\x02kl\x15\x00\x00\x00\x3F"s);
  CHECK(summary_event(1.0, 7, summary) ==
        "\x09\x00\x00\x00\x00\x00\x00\xF0\x3F\x10\x07\x2A\x0B\x0A\x09\x0A\x02kl\x15\x00\x00\x00\x3F"s);
  EventSummary text;
  text.text("t", "ab");
  CHECK(text.bytes() ==
        "\x0A\x17\x0A\x01t\x42\x08\x08\x07\x12\x00\x42\x02"s + "ab" + "\x4A\x08\x0A\x06\x0A\x04"s + "text");
  EventSummary spread;
  spread.histogram("h", {.min = 1, .max = 2, .num = 2, .sum = 3, .sum_squares = 5, .limits = {2}, .counts = {2}});
  const std::string one = "\x00\x00\x00\x00\x00\x00\xF0\x3F"s, two = "\x00\x00\x00\x00\x00\x00\x00\x40"s;
  CHECK(spread.bytes() == "\x0A\x46\x0A\x01h\x2A\x41"s + "\x09" + one + "\x11" + two + "\x19" + two + "\x21" +
                              "\x00\x00\x00\x00\x00\x00\x08\x40"s + "\x29" + "\x00\x00\x00\x00\x00\x00\x14\x40"s +
                              "\x32\x08" + two + "\x3A\x08" + two);
}

TEST_CASE("io: a long event has a length of several bytes, a negative step ten") {
  EventSummary summary;
  summary.text("t", std::string(300, 'x'));
  CHECK(summary.bytes().starts_with("\x0A\xC3\x02\x0A\x01t\x42\xB3\x02"s));
  CHECK(session_start_event(0, -1).substr(9, 11) == "\x10\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"s);
}

TEST_CASE("io: scalars of events beyond float32 are infinite, text that is not UTF-8 is repaired") {
  EventSummary summary;
  summary.scalar("a", -1e300);
  CHECK(summary.bytes().ends_with("\x15\x00\x00\x80\xFF"s));
  summary.scalar("a", std::numeric_limits<double>::quiet_NaN());
  CHECK(summary.bytes().ends_with("\x00\x00\xC0\x7F"s));
  EventSummary broken;
  broken.text("t\xFF", "a\xC3");
  CHECK(broken.bytes().find("t\xEF\xBF\xBD") != std::string::npos);
  CHECK(broken.bytes().find("a\xEF\xBF\xBD") != std::string::npos);
}

TEST_CASE("io: a histogram counts each value once, in thirty equal buckets") {
  std::vector<float> values(301);
  std::iota(values.begin(), values.end(), 0.0F);
  const Histogram histogram = histogram_of(values);
  REQUIRE(histogram.counts.size() == 30);
  CHECK(histogram.min == 0);
  CHECK(histogram.max == 300);
  CHECK(histogram.num == 301);
  CHECK(histogram.sum == 45150);
  CHECK(histogram.sum_squares == 9045050);
  CHECK(histogram.limits[0] == doctest::Approx(10));
  CHECK(histogram.limits.back() == 300);
  CHECK(histogram.counts[0] == 11);  // 0 and 1 … 10
  CHECK(histogram.counts[1] == 10);
  CHECK(std::accumulate(histogram.counts.begin(), histogram.counts.end(), 0.0) == 301);
}

TEST_CASE("io: a histogram of equal values has one bucket") {
  const Histogram histogram = histogram_of(std::vector<float>{0.5F, 0.5F, 0.5F});
  CHECK(histogram.limits == std::vector<double>{0.5});
  CHECK(histogram.counts == std::vector<double>{3});
}

TEST_CASE("io: a histogram leaves out what is not finite") {
  const Histogram histogram = histogram_of(std::vector<float>{-1, NAN, infinity, 1, -infinity});
  CHECK(histogram.num == 2);
  CHECK(histogram.min == -1);
  CHECK(histogram.max == 1);
  CHECK(histogram.counts.front() == 1);
  CHECK(histogram.counts.back() == 1);
  CHECK(histogram_of(std::vector<float>{NAN}).num == 0);
  CHECK(histogram_of({}).num == 0);
}

TEST_CASE("io: a histogram spans the whole range of float32") {
  const float most = std::numeric_limits<float>::max();
  const Histogram histogram = histogram_of(std::vector<float>{-most, 0, most});
  CHECK(std::isfinite(histogram.sum_squares));
  CHECK(std::accumulate(histogram.counts.begin(), histogram.counts.end(), 0.0) == 3);
}

}  // namespace hone
