#include "io/table.h"

#include "io/byte_source.h"
#include "support/error_of.h"
#include "support/scratch.h"
#include "support/test_data.h"

#include <doctest/doctest.h>
#include <zlib.h>

namespace hone {

using test::Scratch;
namespace fs = std::filesystem;

namespace {

std::vector<Row> rows_of(const fs::path& path, const TableOptions& options = {}) {
  const auto reader = open_table(path, options);
  std::vector<Row> rows;
  while (auto row = reader->next()) rows.push_back(std::move(*row));
  return rows;
}

std::string text_of(const Row& row, std::string_view column) { return row.value.at(column).as_string(); }

fs::path gzip(const Scratch& scratch, std::string_view name, std::string_view contents) {
  const fs::path path = scratch.path() / name;
  const gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, contents.data(), static_cast<unsigned>(contents.size()));
  gzclose(file);
  return path;
}

}  // namespace

TEST_CASE("io: jsonl rows keep their values, numbers and lines") {
  const Scratch scratch;
  const auto rows = rows_of(scratch.file("a.jsonl", "\xEF\xBB\xBF{\"a\": 1}\r\n\n  \n{\"a\": [true, \"ü\"]}"));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].value.at("a").as_integer() == 1);
  CHECK(rows[1].value.at("a").as_array()[1].as_string() == "ü");
  CHECK(rows[1].number == 2);
  CHECK(rows[1].line == 4);
}

TEST_CASE("io: bad jsonl names file and line") {
  const Scratch scratch;
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.jsonl", "{\"a\": 1}\nhello\n")), "a.jsonl:2");
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.jsonl", "[1]\n")), "a.jsonl:1", "array");
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.jsonl", "{\"a\": 1")), "a.jsonl:1");
}

TEST_CASE("io: json is one array of objects") {
  const Scratch scratch;
  const auto rows = rows_of(scratch.file("a.json", "[{\"a\": 1},\n {\"a\": 2}]"));
  REQUIRE(rows.size() == 2);
  CHECK(rows[1].value.at("a").as_integer() == 2);
  CHECK(rows[1].line == 2);
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.json", "{\"a\": 1}")), "array of objects", "jsonl");
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.json", "[{}, 3]")), "element 2", "integer");
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.json", "[]")), "no rows");
}

TEST_CASE("io: csv follows RFC 4180") {
  const Scratch scratch;
  const auto rows = rows_of(scratch.file(
      "a.csv", "text,label\r\n\"a, \"\"b\"\"\",x\r\n\"two\r\nlines\",\"\"\r\n,\r\nin \"the\" middle,é\r\n"));
  REQUIRE(rows.size() == 4);
  CHECK(text_of(rows[0], "text") == "a, \"b\"");
  CHECK(text_of(rows[1], "text") == "two\nlines");
  CHECK(text_of(rows[1], "label").empty());
  CHECK(text_of(rows[2], "text").empty());
  CHECK(text_of(rows[3], "text") == "in \"the\" middle");
  CHECK(rows[1].line == 3);
  CHECK(rows[2].line == 5);
  const auto named = rows_of(scratch.file("b.csv", "1,2\n"), {.column_names = {"x", "y"}});
  CHECK(text_of(named.at(0), "y") == "2");
}

TEST_CASE("io: bad csv names file and line") {
  const Scratch scratch;
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.csv", "a,b\n1,2\n1\n")), "a.csv:3", "expected 2 fields (a, b)",
                   "found 1");
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.csv", "a,b\n1,\"2\n3\n")), "a.csv:2", "never closed");
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.csv", "a,b\n\"1\"x,2\n")), "a.csv:2", "byte 4", "'x'");
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.csv", "a,a\n1,2\n")), "a.csv:1", "`a`");
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.csv", "a,\n1,2\n")), "column 2 has no name");
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.csv", "a,b\n")), "no rows");
}

TEST_CASE("io: tsv quotes nothing") {
  const Scratch scratch;
  const auto rows = rows_of(scratch.file("a.tsv", "text\tlabel\n\"so\" it is\t\n"));
  REQUIRE(rows.size() == 1);
  CHECK(text_of(rows[0], "text") == "\"so\" it is");
  CHECK(text_of(rows[0], "label").empty());
  CHECK(text_of(rows_of(scratch.file("b.tsv", "1\t2\n"), {.column_names = {"x", "y"}}).at(0), "x") == "1");
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.tsv", "a\tb\n1\t2\t3\n")), "a.tsv:2", "found 3");
}

TEST_CASE("io: text has one row a line, label_text splits off the first word") {
  const Scratch scratch;
  const auto rows = rows_of(scratch.file("a.txt", "one\n\n two \r\n"));
  REQUIRE(rows.size() == 2);
  CHECK(text_of(rows[1], "text") == " two ");
  CHECK(rows[1].line == 3);
  const TableOptions labels{.format = TableFormat::label_text};
  const auto labelled = rows_of(scratch.file("a.all", "0 so so\n1\tfine\n"), labels);
  REQUIRE(labelled.size() == 2);
  CHECK(text_of(labelled[0], "label") == "0");
  CHECK(text_of(labelled[0], "text") == "so so");
  CHECK(text_of(labelled[1], "text") == "fine");
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.all", "0 a\nalone\n"), labels), "a.all:2", "alone");
}

TEST_CASE("io: the encoding is checked or converted") {
  const Scratch scratch;
  const auto path = scratch.file("a.txt", "fine\ncaf\xE9 au lait\n");
  HONE_CHECK_ERROR(data, rows_of(path), "a.txt:2", "byte 4", "0xe9", "encoding: latin-1");
  CHECK(text_of(rows_of(path, {.encoding = CharacterEncoding::latin1}).at(1), "text") == "café au lait");
  HONE_CHECK_ERROR(data, rows_of(scratch.file("a.json", "[{\n\"a\": \"\xFF\"}]")), "a.json:2", "byte 7");
  HONE_CHECK_ERROR(data, rows_of(scratch.file("b.txt", "\xC3")), "b.txt:1", "byte 1");
}

TEST_CASE("io: .gz files are unpacked, broken ones told") {
  const Scratch scratch;
  std::string long_text;
  for (int i = 0; i < 50000; ++i) long_text += fmt::format("{{\"i\": {}}}\n", i);
  const auto path = gzip(scratch, "a.jsonl.gz", long_text);
  const auto rows = rows_of(path);
  REQUIRE(rows.size() == 50000);
  CHECK(rows.back().value.at("i").as_integer() == 49999);
  const std::string packed = test::contents_of(path);
  HONE_CHECK_ERROR(data, rows_of(scratch.file("b.jsonl.gz", packed.substr(0, packed.size() / 2))), "b.jsonl.gz",
                   "too early");
  HONE_CHECK_ERROR(data, rows_of(scratch.file("c.jsonl.gz", "{\"a\": 1}\n")), "not a gzip file");
}

TEST_CASE("io: empty, missing and nameless files") {
  const Scratch scratch;
  for (const char* name : {"a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt", "a.jsonl.gz"}) {
    HONE_CHECK_ERROR(data, rows_of(scratch.file(name, "")), name, "no rows");
  }
  HONE_CHECK_ERROR(data, rows_of(scratch.file("b.txt", "\n \n")), "no rows");
  HONE_CHECK_ERROR(io, rows_of(scratch.path() / "none.csv"), "none.csv", "No such file");
  HONE_CHECK_ERROR(io, open_table(scratch.path(), {.format = TableFormat::text}), "directory");
  HONE_CHECK_ERROR(config, open_table(scratch.file("a.all", "x")), "a.all", "format:");
  HONE_CHECK_ERROR(config, open_table(scratch.file("a.txt", "x"), {.column_names = {"a"}}), "csv and tsv only");
}

TEST_CASE("io: a missing column names those that exist and the nearest") {
  const Scratch scratch;
  const auto rows = rows_of(scratch.file("a.jsonl", "{\"prompt\": \"a\", \"answer\": 1}\n"));
  CHECK_NOTHROW(require_columns(rows[0], std::vector<std::string>{"prompt", "answer"}, "a.jsonl"));
  HONE_CHECK_ERROR(data, require_columns(rows[0], std::vector<std::string>{"prompt", "anwser"}, "a.jsonl"),
                   "a.jsonl:1", "no column `anwser`", "`prompt`, `answer`", "did you mean `answer`?");
}

TEST_CASE("io: the review sentences are read as Latin-1") {
  HONE_NEEDS_TEST_DATA(data);
  const auto path = data / "datasets" / "sentconv" / "rt-polarity.all";
  const TableOptions options{.format = TableFormat::label_text, .encoding = CharacterEncoding::latin1};
  const auto rows = rows_of(path, options);
  CHECK(rows.size() == 10662);
  HONE_CHECK_ERROR(data, rows_of(path, {.format = TableFormat::label_text}), "latin-1");
}

TEST_CASE("io: published csv data reads row by row") {
  HONE_NEEDS_TEST_DATA(data);
  const auto rows = rows_of(data / "datasets" / "banking77" / "train.csv");
  CHECK(rows.size() == 10003);
  CHECK(text_of(rows[0], "category") == "card_arrival");
}

}  // namespace hone
