#include "data/audit.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "data/encoding_signs.h"
#include "support/scratch.h"
#include "text/byte_tokenizer.h"

namespace hone {

namespace {

const AuditFinding* finding(const DataAudit& audit, std::string_view part) {
  const auto found = std::ranges::find_if(
      audit.findings, [&](const AuditFinding& f) { return f.what.find(part) != std::string::npos; });
  return found == audit.findings.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("data: signs of broken encodings") {
  CHECK(encoding_signs("caf\uFFFD").replacement);
  for (const char* text : {"cafÃ©", "itâ€™s", "Â£5", "ðŸ˜€", "Ð¿Ñ€Ð¸", "naÃ¯ve"}) {
    CAPTURE(text);
    CHECK(encoding_signs(text).mojibake);
  }
  for (const char* text : {"café", "it’s “here” …", "£5 and 20°C", "Ã is a letter", "São Paulo", "привет", "Ärger «so»"}) {
    CAPTURE(text);
    CHECK_FALSE(encoding_signs(text).mojibake);
  }
  CHECK(encoding_signs("zero\u200Bwidth").control);
  CHECK_FALSE(encoding_signs("tab\tand\nline").control);
  CHECK(encoding_signs("p\u0430ypal").mixed_scripts);  // a Cyrillic а
  CHECK_FALSE(encoding_signs("the word мир and 5µm").mixed_scripts);
  CHECK(encoding_signs("a <br> b").html);
  CHECK(encoding_signs("R&amp;D").html);
  CHECK_FALSE(encoding_signs("a < b & c").html);
  CHECK(encoding_signs("cafe\u0301").not_composed);
  CHECK_FALSE(encoding_signs("café").not_composed);
}

TEST_CASE("data: the script of most letters") {
  CHECK(main_script("Hello мир") == "Latin");
  CHECK(main_script("Привет, мир! ok") == "Cyrillic");
  CHECK(main_script("机器学习") == "Han");
  CHECK(main_script("これはテストです") == "Kana");
  CHECK(main_script("123 !?") == "none");
}

TEST_CASE("data: an audit counts labels, lengths, duplicates, leakage and what is cut") {
  const test::Scratch scratch;
  DataConfig config;
  const std::string long_text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen";
  config.path = scratch
                    .file("train.jsonl", "{\"text\": \"Good film\", \"label\": \"pos\"}\n"
                                         "{\"text\": \"good  film!\", \"label\": \"neg\"}\n"
                                         "{\"text\": \"bad <b>film</b>\", \"label\": \"neg\"}\n"
                                         "{\"text\": \"" + long_text + "\", \"label\": \"pos\"}\n"
                                         "{\"text\": \"" + long_text + " sixteen\", \"label\": \"pos\"}\n")
                    .string();
  config.held_out_path = scratch
                             .file("held.jsonl", "{\"text\": \"GOOD FILM\", \"label\": \"pos\"}\n"
                                                 "{\"text\": \"new cafÃ©\", \"label\": \"neg\"}\n")
                             .string();
  const Dataset data = Dataset::load("films", config);
  const auto tokenizer = byte_tokenizer();
  const DataAudit found = audit(data, {.tokenizer = tokenizer.get(), .context = 40});
  CHECK(found.rows == BySplit{5, 2});
  CHECK(found.labels.at("pos") == BySplit{3, 1});
  REQUIRE(finding(found, "repeat an earlier row of their split") != nullptr);
  CHECK(finding(found, "repeat an earlier row of their split")->rows == BySplit{1, 0});
  CHECK(finding(found, "another label")->rows == BySplit{1, 0});
  CHECK(finding(found, "another label")->places.at(0).ends_with("train.jsonl:2"));
  CHECK(finding(found, "nearly repeat an earlier")->rows == BySplit{1, 0});
  CHECK(finding(found, "and repeat a training row")->rows == BySplit{0, 1});
  CHECK(finding(found, "mojibake")->rows == BySplit{0, 1});
  CHECK(finding(found, "HTML")->rows == BySplit{1, 0});
  CHECK(finding(found, "longer than 40 tokens")->rows == BySplit{2, 0});
  CHECK(found.cut_tokens > 50);
  CHECK(finding(found, "U+FFFD") == nullptr);
  REQUIRE(found.lengths.size() == 6);
  CHECK(found.lengths[1].unit == "words");
  CHECK(found.lengths[1].most == 16);
  CHECK(found.lengths[1].median == 2);
  const Json json = found.to_json();
  CHECK(json.at("labels").at("neg").at("held_out").as_integer() == 1);
  CHECK(json.at("findings").as_array().size() == found.findings.size());
}

}  // namespace hone
