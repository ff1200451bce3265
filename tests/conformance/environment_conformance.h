#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "flow/environment.h"
#include "tests/support/declared_fields.h"
#include "tests/support/episodes.h"

/// What every environment must do: prompts are pure, the splits share nothing, every episode ends.
namespace hone::test {

struct EnvironmentFacts {
  bool splits_share_texts = false;  ///< documented by the environment, as random_walks does
  bool texts_repeat = false;        ///< several indices of a split may have the same text
  bool has_demonstrations = true;
  std::int64_t most_turns = 1;
  std::uint64_t most_indices = 3000;  ///< looked at in each split
};

namespace detail {

inline std::vector<std::uint64_t> some_indices(std::uint64_t size, std::uint64_t most) {
  std::vector<std::uint64_t> indices;
  for (std::uint64_t i = 0; i < std::min(size, most); ++i) indices.push_back(i);
  if (size > most) indices.push_back(size - 1);
  return indices;
}

inline bool same(const Prompt& a, const Prompt& b) {
  return a.id == b.id && a.split == b.split && a.text == b.text && a.messages.size() == b.messages.size() &&
         std::equal(a.messages.begin(), a.messages.end(), b.messages.begin(),
                    [](const Message& x, const Message& y) { return x.role == y.role && x.content == y.content; }) &&
         a.reference == b.reference;
}

/// The texts of the split, after checking each prompt on its own.
inline std::vector<std::string> check_prompts(const Environment& environment, Environment& disturbed, Split split,
                                              const EnvironmentFacts& facts) {
  REQUIRE(environment.size(split) > 0);
  auto indices = some_indices(environment.size(split), facts.most_indices);
  std::vector<Prompt> forward;
  for (const std::uint64_t i : indices) forward.push_back(environment.prompt(split, i));
  std::int64_t differing = 0, malformed = 0, undemonstrated = 0;
  std::vector<std::string> texts;
  for (std::size_t k = indices.size(); k-- > 0;) {  // backwards, and between steps of episodes
    const Prompt prompt = disturbed.prompt(split, indices[k]);
    differing += !same(prompt, forward[k]);
    std::string text = prompt.text;
    for (const Message& message : prompt.messages) text += message.role + "\n" + message.content + "\n";
    malformed += text.empty() || prompt.text.empty() == prompt.messages.empty() || prompt.split != split ||
                 prompt.id != prompt_id(split, indices[k]) || first_invalid_utf8(text) != std::string::npos;
    const auto demonstration = disturbed.demonstration(prompt);
    undemonstrated += demonstration.has_value() != facts.has_demonstrations;
    differing += demonstration != environment.demonstration(forward[k]);
    if (k % 100 == 0) {
      Episode noise = episode("noise");
      noise.prompt = prompt;
      disturbed.step(noise);
    }
    texts.push_back(text);
  }
  CHECK_MESSAGE(differing == 0, "prompt(split, index) and demonstration must be pure functions");
  CHECK_MESSAGE(malformed == 0, "a prompt has text or messages, the id of its place, and valid UTF-8");
  CHECK_MESSAGE(undemonstrated == 0, "all prompts have a demonstration, or none");
  return texts;
}

inline void check_ending(Environment& environment, Split split, const EnvironmentFacts& facts,
                         const std::string& completion) {
  Episode played = episode(completion);
  played.prompt = environment.prompt(split, 0);
  for (std::int64_t turn = 1;; ++turn) {
    const Environment::Step step = environment.step(played);
    CHECK(first_invalid_utf8(step.reply) == std::string::npos);
    CHECK_MESSAGE(step.done == step.reply.empty(), "a reply continues the episode, no reply ends it");
    if (step.done) return;
    CHECK_MESSAGE(!environment.single_turn(), "a single-turn environment ends every episode at once");
    REQUIRE_MESSAGE(turn < facts.most_turns, "the episode does not end");
    played.turns.back().reply = step.reply;
    played.turns.push_back(episode(completion).turns[0]);
  }
}

}  // namespace detail

inline void check_environment(EnvironmentSpec& spec, const Services& services, const EnvironmentFacts& facts = {}) {
  spec.name = spec.kind = "under_test";
  CHECK(DeclaredFields::problems(spec) == std::vector<std::string>{});
  const std::unique_ptr<Environment> first = spec.make(services);
  const std::unique_ptr<Environment> second = spec.make(services);
  const auto train = detail::check_prompts(*first, *second, Split::train, facts);
  const auto held_out = detail::check_prompts(*first, *second, Split::held_out, facts);
  const std::set<std::string> train_texts(train.begin(), train.end());
  const std::set<std::string> held_out_texts(held_out.begin(), held_out.end());
  if (!facts.texts_repeat) {
    CHECK(train_texts.size() == train.size());
    CHECK(held_out_texts.size() == held_out.size());
  }
  const auto shared =
      std::ranges::count_if(held_out_texts, [&](const auto& text) { return train_texts.contains(text); });
  CHECK((shared > 0) == facts.splits_share_texts);
  for (const Split split : {Split::train, Split::held_out}) {
    for (const char* completion : {"", "noise", "0", "\xC3\xBC\xE2\x88\x92"}) {
      detail::check_ending(*second, split, facts, completion);
    }
  }
}

}  // namespace hone::test
