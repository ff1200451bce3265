#include "config/document.h"

#include <doctest/doctest.h>

#include <chrono>

#include "sample_config.h"

using namespace hone;
using namespace hone::test;

namespace {

Node parse(std::string_view text) {
  Problems problems;
  Node node = parse_document(text, "test.yaml", problems);
  problems.throw_if_any();
  return node;
}

std::string error_of(std::string_view text) {
  try {
    (void)parse(text);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::config);
    return error.what();
  }
  return "no error";
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("config/document: values, their places, quotes and null") {
  const Node root = parse("\xEF\xBB\xBF# note\na: 1\nb: [x, 'y z', null, ~]\nc:\n  - d: |\n      two\n      lines\n");
  CHECK(root.find("a")->text == "1");
  CHECK(root.find("a")->mark.text() == "test.yaml:2:4");
  CHECK(root.entries[1].key_mark.text() == "test.yaml:3:1");
  const Node& list = *root.find("b");
  REQUIRE(list.items.size() == 4);
  CHECK_FALSE(list.items[0].quoted);
  CHECK(list.items[1].quoted);
  CHECK(list.items[1].mark.text() == "test.yaml:3:8");
  CHECK(list.items[2].is_null());
  CHECK(list.items[3].is_null());
  CHECK(root.find("c")->items[0].find("d")->text == "two\nlines\n");
}

TEST_CASE("config/document: anchors, aliases and merges") {
  const Node root = parse(
      "base: &base {lr: 1, steps: 5}\n"
      "more: &more {steps: 6, seed: 7}\n"
      "one: {<<: *base, lr: 2}\n"
      "two: {<<: [*base, *more]}\n"
      "same: *base\n"
      "text: {\"<<\": 1}\n");
  CHECK(root.find("one")->find("lr")->text == "2");
  CHECK(root.find("one")->find("steps")->text == "5");
  CHECK(root.find("two")->find("steps")->text == "5");
  CHECK(root.find("two")->find("seed")->text == "7");
  CHECK(root.find("two")->find("seed")->mark.text() == "test.yaml:2:30");
  CHECK(root.find("same")->find("lr")->text == "1");
  CHECK(root.find("text")->find("<<")->text == "1");
  CHECK(error_of("a: {<<: 3}") == "test.yaml:1:9: a.<<: expected a map or a list of maps to merge, got '3'");
}

TEST_CASE("config/document: duplicate keys are errors in every map") {
  CHECK(error_of("a: 1\nb: 2\na: 3\n") == "test.yaml:3:1: a: duplicate key, first used in line 1");
  CHECK(error_of("x:\n  - {k: 1, k: 2}\n") == "test.yaml:2:12: x.0.k: duplicate key, first used in line 2");
}

TEST_CASE("config/document: an alias bomb is refused early") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    bomb += fmt::format("a{}: &a{} [{}*a{}]\n", i, i, repeated(fmt::format("*a{}, ", i - 1), 9), i - 1);
  }
  const std::string message = error_of(bomb);
  CHECK(message.find("test.yaml:") == 0);
  CHECK(message.find("the file expands to more than 250000 values (anchors and aliases multiply them)") !=
        std::string::npos);
  std::string deep = "a0: &a0 [x]\n";
  for (int i = 1; i < 100; ++i) deep += fmt::format("a{}: &a{} [*a{}]\n", i, i, i - 1);
  CHECK(error_of(deep) == "test.yaml:64:12: lists and maps are nested deeper than 64 levels");
  CHECK(error_of("a: &a [*a]").find("test.yaml:1:8: a.0: this alias stands inside the value that it names") == 0);
  CHECK(error_of("a: *missing").find("test.yaml:1:4: not valid YAML: ") == 0);
}

TEST_CASE("config/document: 200,000 nested brackets give an error, not a crash") {
  const auto start = std::chrono::steady_clock::now();
  CHECK(error_of(std::string(200000, '[')) == "test.yaml:1:1: lists and maps are nested deeper than 64 levels");
  for (const char* opening : {"{a: ", "[{a: ", "{", "- ", "? ", "[[\n", "a: [", "&a [", "!!seq [", "{? "}) {
    const std::string message = error_of(repeated(opening, 200000));
    INFO(std::string(opening), " gave ", message);
    const bool refused = message.starts_with("test.yaml:1:") &&
                         (message.ends_with("nested deeper than 64 levels") || message.ends_with("got a map"));
    CHECK(refused);
  }
  std::string indented;
  for (int i = 0; i < 3000; ++i) indented += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  CHECK(error_of(indented).find("nested deeper than 64 levels") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}

TEST_CASE("config/document: binary garbage is named with its byte") {
  CHECK(error_of("a: 1\nb: \xff\xfe\n") == "test.yaml:2:4: expected UTF-8 text, got byte 0xff at offset 8");
  CHECK(error_of(std::string("a: \0x", 5)) ==
        "test.yaml:1:4: expected UTF-8 text, got byte 0x00 at offset 3 (a binary file?)");
  CHECK(error_of("a: \x04\n") == "test.yaml:1:4: expected UTF-8 text, got byte 0x04 at offset 3");
  CHECK(error_of("\x7f\x45LF").find("test.yaml:1:1: expected UTF-8 text, got byte 0x7f at offset 0") == 0);
  CHECK(error_of(std::string(max_document_bytes + 1, ' ')) ==
        "test.yaml:1:1: expected at most 16777216 bytes, got 16777217");
}

TEST_CASE("config/document: broken syntax, several documents, odd keys, tags") {
  CHECK(error_of("a: [1, 2\nb: 3\n").starts_with("test.yaml:2:"));
  for (const char* quote : {"\"", "'"}) {
    CHECK(error_of(fmt::format("b: 1\na: {}open\nc: 2\n", quote)) ==
          "test.yaml:2:4: not valid YAML: the quote that opens here is never closed");
  }
  CHECK(error_of("\ta: 1\n").starts_with("test.yaml:1:"));
  CHECK(error_of("a: 1\n---\nb: 2\n") == "test.yaml:2:1: expected one YAML document, got a second one ('---')");
  CHECK(error_of("[a]: 1\n") == "test.yaml:1:1: expected a key, got a list");
  CHECK(error_of("? {a: 1}\n: 2\n") == "test.yaml:1:3: expected a key, got a map");
  CHECK(error_of("~: 1\n") == "test.yaml:1:1: expected a key, got nothing");
  CHECK(error_of("a: !python/object x\n").find("test.yaml:1:4: a: tags such as '!python/object' are not supported") ==
        0);
  CHECK(parse("a: !!str 3\n").find("a")->quoted);
  CHECK(parse("").is_null());
  CHECK(parse("# nothing\n").is_null());
}

TEST_CASE("config/document: large flat files stay fast") {
  std::string text = "edges: [";
  for (int i = 0; i < 100000; ++i) text += "1, ";
  const Node root = parse(text + "1]\n");
  CHECK(root.find("edges")->items.size() == 100001);
  std::string keys;
  for (int i = 0; i < 100000; ++i) keys += fmt::format("k{}: 1\n", i);
  CHECK(parse(keys).entries.size() == 100000);
}
