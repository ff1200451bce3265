#include "text/bpe_merging.h"

#include "text/pair_table.h"

#include <queue>
#include <unordered_map>

namespace hone {
namespace {

struct Pair {
  std::int32_t left;
  std::int32_t right;
  std::int64_t count = 0;
  std::int64_t merged_count = 0;     // its count when it was merged; counts again when the pair comes back
  std::vector<std::uint32_t> words;  // that hold the pair, or held it once
  std::int64_t touched = -1;         // the merge that last raised the count
};

/// Pair key to index, growing.
class PairIndex {
 public:
  /// The index of a key; `fresh` for one that is not there yet.
  std::uint32_t find_or_put(std::uint64_t key, std::uint32_t fresh) {
    if (2 * used_ >= slots_.size()) grow();
    Slot& slot = slots_[place(key)];
    if (slot.key == key) return slot.index;
    slot = {key, fresh};
    ++used_;
    return fresh;
  }

 private:
  struct Slot {
    std::uint64_t key = ~std::uint64_t{0};
    std::uint32_t index = 0;
  };
  std::size_t place(std::uint64_t key) const {
    std::size_t at = mix_bits(key * 0x9E3779B97F4A7C15) & (slots_.size() - 1);
    while (slots_[at].key != key && slots_[at].key != Slot{}.key) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 4096 : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.key != Slot{}.key) slots_[place(slot.key)] = slot;
    }
  }
  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

class Merging {
 public:
  Merging(SymbolWords words, const MergeRules& rules)
      : rules_(rules), symbols_(std::move(words.symbols)), words_(std::move(words.words)) {
    learned_.tokens = std::move(words.tokens);
    for (std::size_t i = 0; i < learned_.tokens.size(); ++i) {
      ids_.emplace(learned_.tokens[i], static_cast<std::int32_t>(i));
    }
    for (std::uint32_t w = 0; w < words_.size(); ++w) {
      const std::int32_t* symbol = symbols_.data() + words_[w].begin;
      for (std::uint32_t i = 0; i + 1 < words_[w].size; ++i) raise(symbol[i], symbol[i + 1], w);
    }
    queue_touched();
  }

  LearnedMerges run() {
    while (learned_.tokens.size() < rules_.token_count) {
      const auto best = pop();
      if (!best || pairs_[*best].count < rules_.min_count) break;
      merge(*best);
    }
    return std::move(learned_);
  }

 private:
  using Word = SymbolWords::Word;  // its size shrinks as symbols merge
  struct Candidate {
    std::int64_t count;
    std::uint32_t pair;
  };
  /// Orders candidates: the count, then the pair.
  struct Less {
    const Merging* merging;
    bool operator()(const Candidate& a, const Candidate& b) const {
      if (a.count != b.count) return a.count < b.count;
      const Pair& p = merging->pairs_[a.pair];
      const Pair& q = merging->pairs_[b.pair];
      if (merging->rules_.ties == MergeTies::lower_ids) {
        return pair_key(p.left, p.right) > pair_key(q.left, q.right);
      }
      const int left = merging->bytes(p.left).compare(merging->bytes(q.left));
      return left != 0 ? left < 0 : merging->bytes(p.right) < merging->bytes(q.right);
    }
  };

  const std::string& bytes(std::int32_t token) const { return learned_.tokens[static_cast<std::size_t>(token)]; }

  /// The token with these bytes, new or (reached by another pair before) old.
  std::int32_t add_token(std::string bytes) {
    const auto [place, is_new] = ids_.emplace(bytes, static_cast<std::int32_t>(learned_.tokens.size()));
    if (is_new) learned_.tokens.push_back(std::move(bytes));
    return place->second;
  }

  Pair& pair_of(std::int32_t left, std::int32_t right) {
    const std::uint32_t index = index_.find_or_put(pair_key(left, right), static_cast<std::uint32_t>(pairs_.size()));
    if (index == pairs_.size()) pairs_.push_back({left, right});
    return pairs_[index];
  }

  void raise(std::int32_t left, std::int32_t right, std::uint32_t word) {
    Pair& pair = pair_of(left, right);
    pair.count += words_[word].count;
    if (pair.words.empty() || pair.words.back() != word) pair.words.push_back(word);
    const auto step = static_cast<std::int64_t>(learned_.merges.size());
    if (pair.touched == step) return;
    pair.touched = step;
    touched_.push_back(static_cast<std::uint32_t>(&pair - pairs_.data()));
  }
  void lower(std::int32_t left, std::int32_t right, std::int64_t count) { pair_of(left, right).count -= count; }

  void queue_touched() {
    for (const std::uint32_t index : touched_) {
      Pair& pair = pairs_[index];
      pair.count += std::exchange(pair.merged_count, 0);
      if (pair.count > 0) queue_.push({pair.count, index});
    }
    touched_.clear();
  }

  /// The pair of the greatest count. A queued count may be outdated: a lower one is queued again, and a higher one
  /// was queued when it rose.
  std::optional<std::uint32_t> pop() {
    while (!queue_.empty()) {
      const Candidate top = queue_.top();
      queue_.pop();
      const std::int64_t count = pairs_[top.pair].count;
      if (count == top.count) return top.pair;
      if (count > 0 && count < top.count) queue_.push({count, top.pair});
    }
    return std::nullopt;
  }

  void merge(std::uint32_t index) {
    const std::int32_t left = pairs_[index].left;
    const std::int32_t right = pairs_[index].right;
    std::string_view second = bytes(right);
    if (second.starts_with(rules_.continuing_prefix)) second.remove_prefix(rules_.continuing_prefix.size());
    const std::int32_t merged = add_token(bytes(left) + std::string(second));
    learned_.merges.emplace_back(left, right);
    const std::vector<std::uint32_t> holders = std::move(pairs_[index].words);
    pairs_[index].words.clear();
    for (const std::uint32_t word : holders) merge_in(word, left, right, merged);
    Pair& pair = pairs_[index];
    if (rules_.ties == MergeTies::lower_ids) pair.merged_count = pair.count;
    pair.count = 0;
    queue_touched();
  }

  void merge_in(std::uint32_t w, std::int32_t left, std::int32_t right, std::int32_t merged) {
    Word& word = words_[w];
    std::int32_t* symbols = symbols_.data() + word.begin;
    std::uint32_t kept = 0;
    for (std::uint32_t i = 0; i < word.size; ++i) {
      if (i + 1 == word.size || symbols[i] != left || symbols[i + 1] != right) {
        symbols[kept++] = symbols[i];
        continue;
      }
      if (kept > 0) {
        lower(symbols[kept - 1], left, word.count);
        raise(symbols[kept - 1], merged, w);
      }
      if (i + 2 < word.size) {
        lower(right, symbols[i + 2], word.count);
        raise(merged, symbols[i + 2], w);
      }
      symbols[kept++] = merged;
      ++i;
    }
    word.size = kept;
  }

  const MergeRules& rules_;
  LearnedMerges learned_;
  std::unordered_map<std::string, std::int32_t> ids_;
  std::vector<std::int32_t> symbols_;
  std::vector<Word> words_;
  std::vector<Pair> pairs_;
  PairIndex index_;
  std::vector<std::uint32_t> touched_;
  std::priority_queue<Candidate, std::vector<Candidate>, Less> queue_{Less{this}};
};

}  // namespace

LearnedMerges learn_merges(SymbolWords words, const MergeRules& rules) {
  return Merging(std::move(words), rules).run();
}

}  // namespace hone
