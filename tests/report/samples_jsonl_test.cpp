#include "report/samples_jsonl.h"

#include <doctest/doctest.h>

#include <limits>

#include "base/json.h"
#include "tests/support/error_of.h"
#include "tests/support/scratch.h"

namespace hone {

namespace {

SampleRow train_sample() {
  return {.stage = "ppo",
          .step = 40,
          .split = "train",
          .prompt = "37+58=",
          .completion = "95",
          .finish = "stop",
          .status = "ok",
          .note = "",
          .reward = 1,
          .parts = {{"exact_match", 1.0}, {"length", -0.5}},
          .tokens = {"9", "5", "<eos>"},
          .logprobs = {-0.25F, -0.5F, -0.1F},
          .advantages = {0.5F, 0.25F, 0.75F}};
}

}  // namespace

TEST_CASE("report: samples.jsonl holds one object an episode") {
  const test::Scratch scratch;
  const auto path = scratch.path() / "samples.jsonl";
  {
    SamplesJsonl sink(path);
    sink.write({.stage = "ppo", .step = 40, .seconds = 1, .values = {{"loss", 1.0}}});
    sink.sample(train_sample());
  }
  const std::string text = test::contents_of(path);
  CHECK(text ==
        "{\"stage\":\"ppo\",\"step\":40,\"split\":\"train\",\"prompt\":\"37+58=\",\"completion\":\"95\",\"finish\":"
        "\"stop\",\"status\":\"ok\",\"reward\":1.0,\"parts\":{\"exact_match\":1.0,\"length\":-0.5},\"length\":3,"
        "\"logprob\":" +
            Json(double{-0.25F} + double{-0.5F} + double{-0.1F}).dump() +
            ",\"advantage\":0.5,\"tokens\":[\"9\",\"5\",\"<eos>\"],\"logprobs\":[-0.25,-0.5,-0.1],"
            "\"advantages\":[0.5,0.25,0.75]}\n");
}

TEST_CASE("report: a held-out sample has no advantages, a failed one has a note") {
  SampleRow row = train_sample();
  row.split = "held_out";
  row.advantages.clear();
  const Json held_out = Json::parse(sample_line(row), "row");
  CHECK(held_out.find("advantage") == nullptr);
  CHECK(held_out.find("advantages") == nullptr);
  CHECK(held_out.find("note") == nullptr);
  row.status = "error";
  row.note = "the judge did not answer";
  CHECK(Json::parse(sample_line(row), "row").at("note").as_string() == "the judge did not answer");
}

TEST_CASE("report: samples with odd figures and texts stay JSON") {
  SampleRow row = train_sample();
  row.reward = std::numeric_limits<double>::quiet_NaN();
  row.logprobs[1] = -std::numeric_limits<float>::infinity();
  row.prompt = "a \"quoted\" line\nand \x01 control";
  row.completion = "</script>\xff";
  row.tokens = {};
  const std::string line = sample_line(row);
  CHECK(line.find('\n') == line.npos);
  const Json read = Json::parse(line, "row");
  CHECK(read.at("reward").is_null());
  CHECK(read.at("logprob").is_null());
  CHECK(read.at("logprobs").as_array()[1].is_null());
  CHECK(read.at("prompt").as_string() == row.prompt);
  CHECK(read.at("completion").as_string() == "</script>\xef\xbf\xbd");
  CHECK(read.at("length").as_integer() == 0);
}

TEST_CASE("report: samples are cut back to what a checkpoint has seen") {
  const test::Scratch scratch;
  const auto path = scratch.path() / "samples.jsonl";
  FilePosition position;
  {
    SamplesJsonl sink(path);
    sink.sample(train_sample());
    position = sink.position().value();
    sink.sample(train_sample());
  }
  CHECK(position.file == "samples.jsonl");
  const std::string line = sample_line(train_sample()) + "\n";
  CHECK(position.bytes == static_cast<std::int64_t>(line.size()));
  SamplesJsonl(path, position.bytes).sample(train_sample());
  CHECK(test::contents_of(path) == line + line);
}

TEST_CASE("report: samples that cannot be written are an error with the path") {
  HONE_CHECK_ERROR(io, SamplesJsonl("/nowhere/at/all/samples.jsonl"), "/nowhere/at/all/samples.jsonl");
}

}  // namespace hone
