#include "rewards/safety.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <utility>

#include "rewards/personal_data.h"
#include "rewards/word_list.h"
#include "tests/conformance/reward_conformance.h"
#include "tests/support/error_of.h"
#include "tests/support/scratch.h"

namespace hone {

namespace {

Score judge(const SafetySpec& spec, const std::string& completion) {
  const Episode episode = test::episode(completion);
  return spec.make({})->score(std::span(&episode, 1)).at(0);
}

std::int64_t found(PersonalData kind, const std::string& text) { return PersonalDataFinder(kind).count(text); }

}  // namespace

TEST_CASE("rewards: safety keeps the contract of rewards") {
  SafetySpec spec;
  spec.words = {"darn"};
  test::check_reward(spec, {}, {test::episode("a darn fool"), test::episode("ask me@example.org")});
}

TEST_CASE("rewards: a word list finds whole words and phrases without regard to case") {
  const WordList list({"darn", "go away", "go away now",
                       "Stra\xC3\x9F"
                       "e",
                       "\xC3\x84rger", "\xD0\xB1\xD0\xB5\xD0\xB4\xD0\xB0"});
  CHECK(list.count("Darn! DARN, darn.") == 3);
  CHECK(list.count("darning undarned darn_it") == 0);
  CHECK(list.count("go, away") == 1);
  CHECK(list.count("Go away now") == 1);
  CHECK(list.count("go away go away now") == 2);
  CHECK(list.count("go") == 0);
  CHECK(list.count("\xC3\xA4rger und STRA\xC3\x9F"
                   "E") == 2);
  CHECK(list.count("\xD0\x91\xD0\x95\xD0\x94\xD0\x90") == 1);
  CHECK(list.count("") == 0);
  CHECK(WordList({}).count("darn") == 0);
  HONE_CHECK_ERROR(config, WordList({"ok", "!?"}), "\"!?\"");
}

TEST_CASE("rewards: personal data is known by its form") {
  using enum PersonalData;
  CHECK(found(mail, "write to jo.doe+x@mail.example.co.uk, or a@b.io.") == 2);
  CHECK(found(mail, "not@all, @home, a@b, user@-x.org") == 0);
  CHECK(found(phone, "+49 30 901820, +1-202-555-0143 or (202) 555-0143 and 202-555-0143") == 4);
  CHECK(found(phone, "12 and 1990-2000, 3.14159265, 123456789012") == 0);
  CHECK(found(card, "4111 1111 1111 1111, 5500-0000-0000-0004, 378282246310005") == 3);
  CHECK(found(card, "3782 822463 10005 and 2000000-400000=1600000") == 1);
  CHECK(found(card, "4111 1111 1111 1112 and 1234567890123452") == 0);
  CHECK(found(iban, "DE89 3704 0044 0532 0130 00; GB82WEST12345698765432") == 2);
  CHECK(found(iban, "DE89 3704 0044 0532 0130 01 and AB12") == 0);
  CHECK(found(ipv4, "10.0.0.1 and 255.255.255.255.") == 2);
  CHECK(found(ipv4, "256.1.1.1, 1.2.3, 1.2.3.4.5, 01.2.3.4") == 0);
}

TEST_CASE("rewards: check digits") {
  CHECK(passes_luhn("79927398713"));
  CHECK_FALSE(passes_luhn("79927398710"));
  CHECK_FALSE(passes_luhn(""));
  CHECK(passes_iban("FR14 2004 1010 0505 0001 3M02 606"));
  CHECK_FALSE(passes_iban("FR15 2004 1010 0505 0001 3M02 606"));
  CHECK_FALSE(passes_iban("FR14"));
}

TEST_CASE("rewards: safety counts in every turn and stops at most") {
  SafetySpec spec;
  spec.words = {"darn"};
  spec.penalty = 0.5;
  CHECK(judge(spec, "all fine").value == 0.0);
  CHECK(judge(spec, "darn darn").value == -0.5);
  spec.most = 3;
  CHECK(judge(spec, "darn darn").value == -1.0);
  CHECK(judge(spec, "darn darn darn darn 10.0.0.1").value == -1.5);
  Episode episode = test::episode("darn");
  episode.turns[0].reply = "darn";  // the environment may
  episode.turns.push_back(test::episode("ask a@b.org").turns[0]);
  const Score score = spec.make({})->score(std::span(&episode, 1)).at(0);
  CHECK(score.value == -1.0);
  CHECK(score.parts.at(0) == std::pair<std::string, double>("words", 1.0));
  CHECK(score.parts.at(1) == std::pair<std::string, double>("mail", 1.0));
}

TEST_CASE("rewards: safety reads its words from a file and refuses what makes no sense") {
  const test::Scratch scratch;
  const std::string path = (scratch.path() / "words.txt").string();
  std::ofstream(path) << "# a comment\n\n  darn \r\ngo away\n";
  SafetySpec spec;
  spec.words_file = path;
  CHECK(judge(spec, "go away").value == -1.0);
  CHECK(judge(spec, "comment").value == 0.0);
  spec.words_file = path + ".missing";
  HONE_CHECK_ERROR(io, spec.make({}), "words.txt.missing");
  spec.words_file = "";
  spec.words = {"?"};
  HONE_CHECK_ERROR(config, spec.make({}), "no word in it");
  spec.words = {};
  spec.personal_data = {"mail", "name"};
  CHECK(test::DeclaredFields::problems(spec).front().starts_with("personal_data: expected some of"));
  spec.personal_data = {};
  CHECK(test::DeclaredFields::problems(spec).front().starts_with("words: nothing to look for"));
}

}  // namespace hone
