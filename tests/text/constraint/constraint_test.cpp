#include "text/constraint/constraint.h"

#include <set>
#include <thread>

#include "base/random.h"
#include "base/utf8.h"
#include "support/error_of.h"
#include "text/byte_tokenizer.h"
#include "text/constraint/regex_parser.h"
#include "token_list.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

using test::TokenList;

bool allows(const Constraint& constraint, std::int32_t state, std::int32_t id) {
  return constraint.allowed(state)[static_cast<std::size_t>(id / 64)] >> (id % 64) & 1;
}

std::vector<std::string> allowed_texts(const Constraint& constraint, std::int32_t state, const TokenList& tokens) {
  std::vector<std::string> texts;
  for (std::int32_t id = 0; id < tokens.vocab_size(); ++id) {
    if (allows(constraint, state, id)) texts.emplace_back(tokens.id_to_bytes(id));
  }
  return texts;
}

using Texts = std::vector<std::string>;

/// Every text that can be generated within so many tokens.
void collect(const Constraint& constraint, const TokenList& tokens, std::int32_t state, const std::string& text,
             int budget, std::set<std::string>& out) {
  for (std::int32_t id = 0; id < tokens.vocab_size(); ++id) {
    const std::int32_t next = constraint.advance(state, id);
    REQUIRE(allows(constraint, state, id) == (next != Constraint::kRefused));
    if (next == Constraint::kEnded) out.insert(text);
    if (next >= 0 && budget > 0) {
      collect(constraint, tokens, next, text + std::string(tokens.id_to_bytes(id)), budget - 1, out);
    }
  }
}

}  // namespace

TEST_CASE("text: what can be generated under a choice is the choices, whatever tokens spell them") {
  const TokenList tokens({"y", "e", "s", "ye", "es", "yes", "yess", "n", "no", "o", "not", ".", "yes.", "a|b", "x"});
  const auto trie = TokenTrie::of(tokens);
  const std::vector<std::string> texts{"yes", "no", "a|b", "yes."};
  const auto choice = Constraint::choices(texts, trie);
  CHECK(allowed_texts(*choice, choice->start(), tokens) == Texts{"y", "ye", "yes", "n", "no", "yes.", "a|b"});
  std::set<std::string> generated;
  collect(*choice, tokens, choice->start(), "", 8, generated);
  CHECK(generated == std::set<std::string>(texts.begin(), texts.end()));
  const std::int32_t after_yes = choice->advance(choice->start(), 5);
  CHECK(choice->accepting(after_yes));
  CHECK_FALSE(choice->finished(after_yes));
  CHECK(allowed_texts(*choice, after_yes, tokens) == Texts{".", "<end>"});
  const std::int32_t after_no = choice->advance(choice->start(), 8);
  CHECK(choice->finished(after_no));
  CHECK(allowed_texts(*choice, after_no, tokens) == Texts{"<end>"});
  CHECK(choice->advance(after_no, 15) == Constraint::kEnded);
  CHECK(choice->advance(choice->start(), 15) == Constraint::kRefused);
  CHECK(choice->advance(choice->start(), 99) == Constraint::kRefused);
}

TEST_CASE("text: characters may be split over tokens, and tokens may span what the pattern tells apart") {
  const TokenList tokens =
      TokenList::with_bytes({"\xC3\xA9", "caf", "é 1", "\xA9t", "1.", ".5", "\xF0\x9F", "\x98\x80"});
  const auto trie = TokenTrie::of(tokens);
  const auto constraint = Constraint::regex("caf(é|ét) \\d\\.\\d", trie);
  std::int32_t state = constraint->start();
  const auto take = [&](std::string_view text) {
    state = constraint->advance(state, *tokens.token_to_id(text));
    REQUIRE(state >= 0);
  };
  take("caf");
  CHECK(allowed_texts(*constraint, state, tokens) == Texts{"\xC3", "\xC3\xA9", "é 1"});
  const std::int32_t before = state;
  take("\xC3");
  CHECK(allowed_texts(*constraint, state, tokens) == Texts{"\xA9", "\xA9t"});
  take("\xA9t");
  CHECK(allowed_texts(*constraint, state, tokens) == Texts{" "});
  state = before;
  take("é 1");
  CHECK(allowed_texts(*constraint, state, tokens) == Texts{".", ".5"});
  take(".5");
  CHECK(constraint->finished(state));
  const auto emoji = Constraint::regex(".", trie);
  const std::int32_t half = emoji->advance(emoji->start(), *tokens.token_to_id("\xF0\x9F"));
  REQUIRE(half >= 0);
  CHECK_FALSE(emoji->accepting(half));
  CHECK(emoji->accepting(emoji->advance(half, *tokens.token_to_id("\x98\x80"))));
}

TEST_CASE("text: random walks through random vocabularies end in matches and never get stuck") {
  static const std::vector<std::string> patterns{"[a-c]+(,[a-c]+)*", "(ab|ba)*c?",
                                                 "a{2,5}b{0,3}",     "(a|ab)(c|bcd)(d*)",
                                                 "[^b]{1,6}",        "\\{\"a\": (true|false|\\d+)\\}",
                                                 "é+|世é",           "(a?){10}a{10}",
                                                 "(a|b)*abb",        "-?(0|[1-9]\\d*)(\\.\\d+)?"};
  static const std::string letters = "abcd,tru{}\": 0123-.é世";
  Random random(stream_key(8, "walks"));
  for (int round = 0; round < 60; ++round) {
    std::vector<std::string> more;
    for (int i = 0; i < 60; ++i) {
      std::string token;
      for (std::uint64_t length = 1 + random.below(4); length > 0; --length)
        token += letters[random.below(letters.size())];
      more.push_back(token);
    }
    const TokenList tokens = TokenList::with_bytes(more);
    const auto trie = TokenTrie::of(tokens);
    const std::string& pattern = patterns[random.below(patterns.size())];
    const auto constraint = Constraint::regex(pattern, trie);
    const ByteDfa dfa = build_dfa(build_nfa(parse_regex(pattern)));
    std::int32_t state = constraint->start();
    std::string text;
    for (int step = 0; step < 40 && state >= 0; ++step) {
      std::vector<std::int32_t> ids;
      for (std::int32_t id = 0; id < tokens.vocab_size(); ++id) {
        if (allows(*constraint, state, id)) ids.push_back(id);
        const bool live = id + 1 == tokens.vocab_size()
                              ? constraint->accepting(state)
                              : dfa.run(dfa.start, text + std::string(tokens.id_to_bytes(id))) >= 0;
        REQUIRE(allows(*constraint, state, id) == live);
      }
      REQUIRE_FALSE(ids.empty());
      const std::int32_t id = ids[random.below(ids.size())];
      state = constraint->advance(state, id);
      if (state >= 0) text += tokens.id_to_bytes(id);
    }
    const std::int32_t end = dfa.run(dfa.start, text);
    REQUIRE(end >= 0);
    if (state == Constraint::kEnded) CHECK(dfa.accepts[static_cast<std::size_t>(end)]);
  }
}

TEST_CASE("text: a vocabulary that lacks characters is not led into a dead end") {
  const TokenList tokens({"a", "b", "ac", "\xC3", "d", "ab"});
  const auto trie = TokenTrie::of(tokens);
  const auto constraint = Constraint::regex("acx|abd|é|bcd", trie);  // only "abd" can be spelled
  CHECK(allowed_texts(*constraint, constraint->start(), tokens) == Texts{"a", "ab"});
  CHECK(constraint->advance(constraint->start(), 2) == Constraint::kRefused);
  std::set<std::string> generated;
  collect(*constraint, tokens, constraint->start(), "", 5, generated);
  CHECK(generated == std::set<std::string>{"abd"});
  HONE_CHECK_ERROR(config, Constraint::regex("x", trie), "no tokens of the vocabulary");
  HONE_CHECK_ERROR(config, Constraint::regex("é|xa", trie), "no tokens of the vocabulary");
}

TEST_CASE("text: tokens of the same bytes are all allowed, tokens without bytes never") {
  const TokenList tokens({"a", "b", "a", "", "ab", "a", "ab"});
  const auto trie = TokenTrie::of(tokens);
  const auto constraint = Constraint::regex("ab?", trie);
  CHECK(constraint->allowed(constraint->start())[0] == 0b1110101);
  CHECK(constraint->accepting(constraint->advance(constraint->start(), 5)));
  CHECK(constraint->advance(constraint->start(), 3) == Constraint::kRefused);
  const TokenList sixty_four(std::vector<std::string>(63, "a"));
  const auto all = Constraint::regex("a*", TokenTrie::of(sixty_four));
  CHECK(all->allowed(all->start()).size() == 1);
  CHECK(all->allowed(all->start())[0] == ~std::uint64_t{0});
}

TEST_CASE("text: special tokens never spell text, and several ids may end a completion") {
  const auto bytes = byte_tokenizer();
  const auto constraint = Constraint::regex("[\\s\\S]*", TokenTrie::of(*bytes));
  CHECK(allows(*constraint, constraint->start(), 'a'));
  CHECK(allows(*constraint, constraint->start(), *bytes->eos_id()));
  CHECK_FALSE(allows(*constraint, constraint->start(), *bytes->bos_id()));
  CHECK(constraint->advance(constraint->start(), *bytes->bos_id()) == Constraint::kRefused);
  const auto two = Constraint::regex("a", TokenTrie::of(*bytes, {256, 258}));
  const std::int32_t done = two->advance(two->start(), 'a');
  CHECK(two->advance(done, 258) == Constraint::kEnded);
  CHECK(two->advance(done, 256) == Constraint::kEnded);
  HONE_CHECK_ERROR(config, TokenTrie::of(*bytes, {259}), "259", "outside the vocabulary of 259");
  const TokenList endless({"a"}, false);
  const auto last = Constraint::regex("a", TokenTrie::of(endless));
  CHECK(last->finished(last->advance(last->start(), 0)));
  CHECK(last->allowed(last->advance(last->start(), 0))[0] == 0);
}

TEST_CASE("text: bad constraints are refused") {
  const auto trie = TokenTrie::of(*byte_tokenizer());
  HONE_CHECK_ERROR(config, Constraint::choices({}, trie), "empty list");
  const std::vector<std::string> broken{"a", "\xFF"};
  HONE_CHECK_ERROR(config, Constraint::choices(broken, trie), "choice 2 of 2", "UTF-8");
  HONE_CHECK_ERROR(config, Constraint::regex("[^\\w\\W]", trie), "matches no text");
}

TEST_CASE("text: threads share one constraint") {
  const auto constraint = Constraint::regex("(\\p{L}+ ){1,20}", TokenTrie::of(*byte_tokenizer()));
  std::vector<std::vector<std::uint64_t>> sums(
      4, std::vector<std::uint64_t>(static_cast<std::size_t>(constraint->states())));
  std::vector<std::thread> threads;
  for (auto& sum : sums) {
    threads.emplace_back([&] {
      for (std::int32_t state = 0; state < constraint->states(); ++state) {
        for (const std::uint64_t word : constraint->allowed(state)) sum[static_cast<std::size_t>(state)] += word;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& sum : sums) CHECK(sum == sums.front());
}

}  // namespace hone
