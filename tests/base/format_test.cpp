#include "base/format.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/utf8.h"

using namespace hone;

TEST_CASE("base/format: bytes") {
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(1023) == "1023 B");
  CHECK(format_bytes(1536) == "1.5 KiB");
  CHECK(format_bytes(64 << 20) == "64 MiB");
  CHECK(format_bytes(-(1LL << 30)) == "-1 GiB");
  CHECK(format_bytes(9223372036854775807LL) == "8 EiB");
}

TEST_CASE("base/format: durations") {
  CHECK(format_duration(0.85) == "850 ms");
  CHECK(format_duration(0.9999) == "1.0 s");
  CHECK(format_duration(12.34) == "12.3 s");
  CHECK(format_duration(59.97) == "1 min 00 s");
  CHECK(format_duration(245) == "4 min 05 s");
  CHECK(format_duration(3599.6) == "1 h 00 min");
  CHECK(format_duration(7620) == "2 h 07 min");
  CHECK(format_duration(3 * 86400 + 4 * 3600) == "3 d 04 h");
  CHECK(format_duration(-2) == "-2.0 s");
  CHECK(format_duration(std::nan("")) == "?");
}

TEST_CASE("base/format: counts and rates") {
  CHECK(format_count(0) == "0");
  CHECK(format_count(999) == "999");
  CHECK(format_count(-1000) == "-1,000");
  CHECK(format_count(1234567) == "1,234,567");
  CHECK(format_rate(12345.4, "tokens") == "12,345 tokens/s");
  CHECK(format_rate(3.254, "steps") == "3.25 steps/s");
  CHECK(format_rate(INFINITY, "steps") == "? steps/s");
}

TEST_CASE("base/format: the nearest word, but none that is far") {
  const std::vector<std::string> keys = {"learning_rate", "weight_decay", "batch", "lr"};
  CHECK(nearest_word("learning-rate", keys) == "learning_rate");
  CHECK(nearest_word("lerning_rat", keys) == "learning_rate");
  CHECK(nearest_word("Batch", keys) == "batch");
  CHECK(nearest_word("bacth", keys) == "batch");
  CHECK(nearest_word("rl", keys) == "lr");
  CHECK(nearest_word("momentum", keys) == "");
  CHECK(nearest_word("x", std::vector<std::string>{"y"}) == "");
  CHECK(nearest_word("", keys) == "");
  CHECK(nearest_word(std::string(100000, 'a'), keys) == "");
  CHECK(suggestion("bacth", keys) == "; did you mean 'batch'?");
  CHECK(suggestion("momentum", keys) == "; known: learning_rate, weight_decay, batch, lr");
  CHECK(suggestion("x", {}) == "");
}

TEST_CASE("base/format: tables align by code points and end lines without spaces") {
  Table table({{"stage"}, {"score", Align::right}, {"note"}});
  table.add({"sft", "0.5", ""});
  table.add({"é→", "12.25", "best"});
  CHECK(table.text() ==
        "stage  score  note\n"
        "-----  -----  ----\n"
        "sft      0.5\n"
        "é→     12.25  best\n");
}

TEST_CASE("base/utf8: the first invalid byte and its replacement") {
  CHECK(first_invalid_utf8("plain é 𝄞") == std::string_view::npos);
  CHECK(first_invalid_utf8("ab\xff") == 2);
  CHECK(first_invalid_utf8("\xc0\xaf") == 0);          // overlong
  CHECK(first_invalid_utf8("a\xed\xa0\x80") == 1);     // surrogate
  CHECK(first_invalid_utf8("\xf4\x90\x80\x80") == 0);  // beyond U+10FFFF
  CHECK(first_invalid_utf8("\xe2\x82") == 0);          // cut off
  CHECK(valid_utf8("a\xe2\x82 b\xff") == "a\uFFFD b\uFFFD");
  CHECK(valid_utf8("\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD");
  CHECK(utf8_length("é→𝄞") == 3);
}
