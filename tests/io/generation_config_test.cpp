#include "io/generation_config.h"

#include "support/error_of.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

namespace hone {

using test::Scratch;

namespace {

GenerationConfig parsed(std::string_view text) {
  const Scratch scratch;
  scratch.file("generation_config.json", text);
  return read_generation_config(scratch.path());
}

}  // namespace

TEST_CASE("io: a generation config is read with one end token or several") {
  const GenerationConfig config = parsed(
      R"({"bos_token_id": 1, "do_sample": true, "eos_token_id": [128001, 128009], "temperature": 0.6, "top_p": 0.9,
          "top_k": 20, "min_p": 0, "repetition_penalty": 1.05, "max_length": 4096, "pad_token_id": null,
          "transformers_version": "5.23.0"})");
  CHECK(config.do_sample == true);
  CHECK(config.eos_token_ids == std::vector<std::int64_t>{128001, 128009});
  CHECK(config.temperature == 0.6);
  CHECK(config.top_k == 20);
  CHECK(config.min_p == 0);
  CHECK_FALSE(config.pad_token_id.has_value());
  CHECK_FALSE(config.max_new_tokens.has_value());
  CHECK(config.not_honoured.empty());
}

TEST_CASE("io: a generation config that is written again keeps its values and gets the ids that it lacks") {
  const Scratch scratch;
  scratch.file("generation_config.json", R"({"top_p": 0.9, "eos_token_id": [2, 3], "pad_token_id": null, "mine": {"a": 1}})");
  const Json stored = stored_generation_config(scratch.path());
  const Json ids = Json::Object{{"bos_token_id", 1}, {"eos_token_id", 7}, {"pad_token_id", 0}, {"other", nullptr}};
  CHECK(generation_config_json(stored, ids).dump() ==
        R"({"bos_token_id":1,"eos_token_id":[2,3],"mine":{"a":1},"pad_token_id":0,"top_p":0.9})");
  CHECK(generation_config_json(Json(), ids).dump() == R"({"bos_token_id":1,"eos_token_id":7,"pad_token_id":0})");
  const Scratch empty;
  CHECK(stored_generation_config(empty.path()).is_null());
  scratch.file("generation_config.json", "[1]");
  CHECK(test::error_of([&] { stored_generation_config(scratch.path()); })->message.find("expected an object") !=
        std::string::npos);
}

TEST_CASE("io: the settings of beams and lengths are read") {
  const GenerationConfig config = read_generation_config(
      Json::parse(R"({"early_stopping": "never", "num_beams": 4, "length_penalty": 2.0, "min_length": 30})", "test"), "test");
  CHECK(config.never_stops_early);
  CHECK_FALSE(config.early_stopping.has_value());
  CHECK(config.num_beams == 4);
  CHECK(config.length_penalty == 2.0);
  CHECK(config.min_length == 30);
  CHECK(config.not_honoured.empty());
  CHECK(parsed(R"({"early_stopping": true})").early_stopping == true);
  HONE_CHECK_ERROR(data, parsed(R"({"early_stopping": "always"})"), "early_stopping");
}

TEST_CASE("io: keys of a generation config that are not honoured are listed, neutral ones are not") {
  const GenerationConfig config = parsed(R"({"typical_p": 0.9, "num_beam_groups": 1, "suppress_tokens": [1],
      "bad_words_ids": null, "forced_eos_token_id": 2, "use_cache": true, "penalty_alpha": 0.6})");
  CHECK(config.not_honoured ==
        std::vector<std::string>{"typical_p", "suppress_tokens", "forced_eos_token_id", "penalty_alpha"});
}

TEST_CASE("io: wrong values in a generation config are refused by key") {
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{{"temperature", "-0.1"},
                                                                                   {"temperature", "\"hot\""},
                                                                                   {"top_p", "0"},
                                                                                   {"top_p", "1.5"},
                                                                                   {"top_k", "-1"},
                                                                                   {"top_k", "2.5"},
                                                                                   {"repetition_penalty", "0"},
                                                                                   {"max_new_tokens", "0"},
                                                                                   {"do_sample", "1"},
                                                                                   {"eos_token_id", "\"</s>\""},
                                                                                   {"eos_token_id", "[1, -2]"},
                                                                                   {"num_beams", "0"}}) {
    HONE_CHECK_ERROR(data, parsed(fmt::format(R"({{"{}": {}}})", key, value)), "generation_config.json", key,
                     "expected");
  }
  HONE_CHECK_ERROR(data, parsed("[]"), "object");
  HONE_CHECK_ERROR(data, parsed("{"), "generation_config.json");
}

}  // namespace hone
