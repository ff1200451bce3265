#include "text/constraint/constraint.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "text/code_points.h"
#include "text/constraint/productive_states.h"
#include "text/constraint/regex_parser.h"
#include "text/constraint/trie_walk.h"

namespace hone {
namespace {

constexpr std::uint64_t bit_of(std::int32_t id) { return std::uint64_t{1} << (id % 64); }
constexpr std::size_t word_of(std::int32_t id) { return static_cast<std::size_t>(id / 64); }

std::uint64_t hash_of(std::span<const std::uint64_t> words) {
  std::uint64_t hash = 0;
  for (const std::uint64_t word : words) hash = (hash ^ word) * 0x9E3779B97F4A7C15u + (hash >> 31);
  return hash;
}

RegexNode literal(std::string_view text) {
  RegexNode all{.kind = RegexNode::Kind::all};
  for (std::size_t at = 0; at < text.size();) {
    const char32_t point = next_code_point(text, at);
    all.children.push_back({.kind = RegexNode::Kind::set, .set = CodePointSet({{point, point}})});
  }
  return all;
}

}  // namespace

std::shared_ptr<const Constraint> Constraint::regex(std::string_view pattern, std::shared_ptr<const TokenTrie> trie) {
  return std::shared_ptr<const Constraint>(new Constraint(parse_regex(pattern), std::move(trie)));
}

std::shared_ptr<const Constraint> Constraint::choices(std::span<const std::string> texts,
                                                      std::shared_ptr<const TokenTrie> trie) {
  if (texts.empty()) fail(ErrorKind::config, "choices is an empty list; give at least one text");
  RegexNode any{.kind = RegexNode::Kind::any};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (first_invalid_utf8(texts[i]) != std::string::npos) {
      fail(ErrorKind::config, "choice {} of {} is not valid UTF-8", i + 1, texts.size());
    }
    any.children.push_back(literal(texts[i]));
  }
  return std::shared_ptr<const Constraint>(new Constraint(any, std::move(trie)));
}

Constraint::Constraint(const RegexNode& root, std::shared_ptr<const TokenTrie> trie)
    : dfa_(build_dfa(build_nfa(root))),
      trie_(std::move(trie)),
      productive_(productive_states(dfa_, *trie_)),
      cached_(std::make_unique<std::atomic<const Mask*>[]>(static_cast<std::size_t>(dfa_.states()))) {
  if (!productive_[static_cast<std::size_t>(dfa_.start)]) {
    fail(ErrorKind::config,
         "no tokens of the vocabulary spell a text that the constraint allows: characters that it needs "
         "are missing from the tokenizer");
  }
}

std::int32_t Constraint::advance(std::int32_t state, std::int32_t id) const {
  if (std::find(trie_->ends().begin(), trie_->ends().end(), id) != trie_->ends().end()) {
    return accepting(state) ? kEnded : kRefused;
  }
  const std::string_view bytes = trie_->bytes(id);
  if (bytes.empty()) return kRefused;
  const std::int32_t next = dfa_.run(state, bytes);
  return next != ByteDfa::kDead && productive_[static_cast<std::size_t>(next)] ? next : kRefused;
}

const Constraint::Mask& Constraint::mask(std::int32_t state) const {
  HONE_ASSERT(state >= 0 && state < dfa_.states());
  const Mask* known = cached_[static_cast<std::size_t>(state)].load(std::memory_order_acquire);
  return known != nullptr ? *known : keep(compute(state), state);
}

Constraint::Mask Constraint::compute(std::int32_t state) const {
  const std::int32_t none = trie_->vocab_size();
  std::vector<std::uint64_t> bits(word_of(none) + 1, 0);  // with room for the bit of no token
  walk_trie(dfa_, *trie_, state, [&](std::int32_t target, std::int32_t id) {
    bits[word_of(id)] |= std::uint64_t{productive_[static_cast<std::size_t>(target)]} << (id % 64);
  });
  bits[word_of(none)] &= ~bit_of(none);
  bits.resize(word_of(none + 63));
  Mask mask{.bits = std::move(bits)};
  mask.continues = std::any_of(mask.bits.begin(), mask.bits.end(), [](std::uint64_t word) { return word != 0; });
  for (const TokenTrie::Twins& twins : trie_->twins()) {
    if (mask.bits[word_of(twins.first)] & bit_of(twins.first)) mask.bits[word_of(twins.second)] |= bit_of(twins.second);
  }
  if (accepting(state)) {
    for (const std::int32_t end : trie_->ends()) mask.bits[word_of(end)] |= bit_of(end);
  }
  return mask;
}

/// Two threads may have computed the same mask; the first one stays.
const Constraint::Mask& Constraint::keep(Mask mask, std::int32_t state) const {
  const std::uint64_t hash = hash_of(mask.bits);
  const std::lock_guard lock(mutex_);
  const Mask* kept = nullptr;
  const auto [first, last] = masks_.equal_range(hash);
  for (auto known = first; known != last && kept == nullptr; ++known) {
    if (known->second->bits == mask.bits && known->second->continues == mask.continues) kept = known->second.get();
  }
  if (kept == nullptr) kept = masks_.emplace(hash, std::make_unique<const Mask>(std::move(mask)))->second.get();
  cached_[static_cast<std::size_t>(state)].store(kept, std::memory_order_release);
  return *kept;
}

}  // namespace hone
