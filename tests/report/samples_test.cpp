#include "report/samples.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/episodes.h"

namespace hone {

TEST_CASE("report: samples show the prompt, the completion and the parts of the reward") {
  Episode episode = test::episode("95");
  episode.prompt.text = "37+58=";
  episode.score = {.value = 0.9, .parts = {{"exact_match", 1.0}, {"length", -0.1}}};
  CHECK(samples_text("ppo: samples after", std::span(&episode, 1), false) ==
        "ppo: samples after\n"
        "\n"
        "  prompt      37+58=\n"
        "  completion  95\n"
        "  reward      0.9  exact_match 1  length -0.1\n");
}

TEST_CASE("report: samples show every turn, messages, cut-off completions and why a reward failed") {
  Episode talk = test::episode("47");
  talk.prompt.text.clear();
  talk.prompt.messages = {{"system", "Be brief."}, {"user", "Guess.\nNow."}};
  talk.turns[0].reply = " higher\n";
  talk.turns.push_back(test::episode("51 and").turns[0]);
  talk.turns[1].completion.finish = FinishReason::length;
  talk.score = Score::error("timed out");
  CHECK(samples_text("samples", std::span(&talk, 1), false) ==
        "samples\n"
        "\n"
        "  system      Be brief.\n"
        "  user        Guess.\n"
        "              Now.\n"
        "  completion  47\n"
        "  reply        higher\n"
        "              \n"
        "  completion  51 and (cut off)\n"
        "  reward      failed: timed out\n");
}

TEST_CASE("report: what a model wrote cannot disturb the terminal") {
  CHECK(harmless("\x1b[2Jx\ty\rz\x7f", 0, 100) == "\\x1b[2Jx    y\\x0dz\\x7f");
  CHECK(harmless("a\xC2\x9B"
                 "31m\xC2\xA0",
                 0, 100) == "a\\x9b31m\xC2\xA0");
  CHECK(harmless("a\nb", 2, 100) == "a\n  b");
  CHECK(harmless("abcdef", 0, 4) == "abc…");
  Episode episode = test::episode("\x1b]0;title\x07");
  const std::string text = samples_text("samples", std::span(&episode, 1), false);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
  CHECK(samples_text("samples", std::span(&episode, 1), true).find("\x1b[2m  completion  \x1b[0m\\x1b]0;") !=
        std::string::npos);
}

}  // namespace hone
